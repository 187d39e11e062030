"""This file is the classifiers: small networks that tell two sets apart, many of them trained at once.

Each is what scikit-learn's `MLPClassifier` is by default: two hidden layers with rectifiers, Adam in batches of 200,
a weight penalty of 1e-4, and an end when the training loss has not fallen by 1e-4 for ten epochs. They are so small
that one alone would spend its time in calls.

References:
    Kingma and Ba (2015), Adam, ICLR. https://arxiv.org/abs/1412.6980
    Glorot and Bengio (2010), AISTATS, PMLR 9:249. https://proceedings.mlr.press/v9/glorot10a.html
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["Classifiers"]

_BATCH = 200
_PENALTY = 1e-4
_RATE = 1e-3
_MEMORY = (0.9, 0.999)
_TINY = 1e-8
_TOLERANCE, _PATIENCE = 1e-4, 10
_EPOCHS = 10_000


class Classifiers:
    """Networks from x to the chance that it belongs to the second set.

    Args:
        count: How many.
        size: Of x.
        width: Of both hidden layers.
        generator: Source of randomness of all.
    """

    def __init__(self, count: int, size: int, width: int, generator: torch.Generator) -> None:
        self._shapes = ((size, width), (1, width), (width, width), (1, width), (width, 1), (1, 1))
        self._generator = generator
        # A layer's bias is drawn as wide as its weights.
        fans = (size + width, size + width, 2 * width, 2 * width, width + 1, width + 1)
        bounds = [math.sqrt(6.0 / fan) for fan in fans]
        sizes = [first * second for first, second in self._shapes]
        drawn = 2.0 * torch.rand(count, sum(sizes), generator=generator) - 1.0
        self._values = drawn * torch.repeat_interleave(torch.tensor(bounds), torch.tensor(sizes))
        self._decay = torch.repeat_interleave(torch.tensor([_PENALTY, 0.0] * 3), torch.tensor(sizes))

    @torch.inference_mode()
    def train(self, x: Tensor, second: Tensor) -> None:
        """Train each until its loss stands still.

        Args:
            x: Shape (count, n, size), standardized.
            second: Whether each belongs to the second set, 0 or 1, shape (count, n).
        """
        active = torch.arange(len(x))
        values = self._values.clone()
        moments = torch.zeros_like(values), torch.zeros_like(values)
        best, stale = torch.full((len(x),), math.inf), torch.zeros(len(x))
        steps = 0
        for _ in range(_EPOCHS):
            loss, steps = self._epoch(values, moments, x, second, steps)
            stale = torch.where(loss > best - _TOLERANCE, stale + 1, torch.zeros_like(stale))
            best = torch.minimum(best, loss)
            going = stale <= _PATIENCE
            if not going.all():
                self._values[active] = values
                active, values, x, second = active[going], values[going], x[going], second[going]
                moments = moments[0][going], moments[1][going]
                best, stale = best[going], stale[going]
            if not len(active):
                return
        self._values[active] = values

    @torch.inference_mode()
    def tell(self, x: Tensor) -> Tensor:
        """Tell which belong to the second set.

        Args:
            x: Shape (count, n, size).

        Returns:
            Shape (count, n), bool.
        """
        return self.odds(x) > 0.0

    @torch.inference_mode()
    def odds(self, x: Tensor) -> Tensor:
        """Give the log odds of belonging to the second set.

        Args:
            x: Shape (count, n, size).

        Returns:
            Shape (count, n).
        """
        first, first_bias, middle, middle_bias, last, last_bias = self._layers(self._values)
        hidden = torch.baddbmm(first_bias, x, first).relu_()
        hidden = torch.baddbmm(middle_bias, hidden, middle).relu_()
        return torch.baddbmm(last_bias, hidden, last)[..., 0]

    def _epoch(
        self, values: Tensor, moments: tuple[Tensor, Tensor], x: Tensor, second: Tensor, steps: int
    ) -> tuple[Tensor, int]:
        """Go once over all, in a new order; returns the mean loss of each and the steps taken so far."""
        n = x.shape[1]
        order = torch.randperm(n, generator=self._generator)
        x, second = x[:, order], second[:, order]
        total = torch.zeros(len(x))
        slopes = torch.empty_like(values)
        for start in range(0, n, _BATCH):
            part = slice(start, min(start + _BATCH, n))
            size = part.stop - part.start
            total += size * self._slope(values, slopes, x[:, part], second[:, part])
            steps += 1
            momentum, square = moments
            momentum.lerp_(slopes, 1.0 - _MEMORY[0])
            square.mul_(_MEMORY[1]).addcmul_(slopes, slopes, value=1.0 - _MEMORY[1])
            rate = _RATE * math.sqrt(1.0 - _MEMORY[1] ** steps) / (1.0 - _MEMORY[0] ** steps)
            values.addcdiv_(momentum, square.sqrt().add_(_TINY), value=-rate)
        return total / n, steps

    def _slope(self, values: Tensor, slopes: Tensor, x: Tensor, second: Tensor) -> Tensor:
        """Write the slopes of the penalized loss of a batch, and give the loss."""
        first, first_bias, middle, middle_bias, last, last_bias = self._layers(values)
        d_first, d_first_bias, d_middle, d_middle_bias, d_last, d_last_bias = self._layers(slopes)
        n = x.shape[1]
        one = torch.baddbmm(first_bias, x, first).relu_()
        two = torch.baddbmm(middle_bias, one, middle).relu_()
        logit = torch.baddbmm(last_bias, two, last)[..., 0]
        loss = (torch.nn.functional.softplus(logit) - second * logit).mean(1)
        error = ((torch.sigmoid(logit) - second) / n)[..., None]
        # The same products, laid out as one row: a single column takes ten times as long.
        d_last.copy_(torch.bmm(error.mT, two).mT)
        d_last_bias.copy_(error.sum(1, keepdim=True))
        back = torch.ops.aten.threshold_backward(error * last.mT, two, 0.0)
        d_middle.copy_(torch.bmm(one.mT, back))
        d_middle_bias.copy_(back.sum(1, keepdim=True))
        back = torch.ops.aten.threshold_backward(torch.bmm(back, middle.mT), one, 0.0)
        d_first.copy_(torch.bmm(x.mT, back))
        d_first_bias.copy_(back.sum(1, keepdim=True))
        decayed = values * self._decay
        slopes.add_(decayed, alpha=1.0 / n)
        return loss + 0.5 / n * (decayed * values).sum(1)

    def _layers(self, values: Tensor) -> list[Tensor]:
        """See rows of values as weights and biases, without a copy."""
        sizes = [first * second for first, second in self._shapes]
        pieces = torch.split(values, sizes, dim=1)
        return [piece.view(len(values), *shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
