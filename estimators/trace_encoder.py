"""This file is the trace encoder: features that are learned from the trace, beside those that are written by hand.

Convolutions with strides over the voltage, the voltage bent so that a millivolt beside the rest is seen as well as a
spike, and the command; then means over the time before, in and after the step, the highest value in it, and what
learned queries ask for. A sweep may have any length.

References:
    Rodrigues & Gramfort (2020), Learning summary features of time series for likelihood-free inference.
    arXiv:2012.02807
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from estimators.context import CONTEXT
from estimators.thinning import THIN_RATE

__all__ = ["TraceEncoder"]

_STRIDES = (8, 4, 2, 2)
_CHANNELS = (24, 48, 64, 64)
_TOGETHER = 128
_MIDDLE = 180
_QUERIES = 4


class _Strided(nn.Module):
    """Convolve along time with windows of two strides.

    Each stride's samples are weighed once as the first and once as the second half of a window: two products without
    a copy of the overlaps, which take half of a convolution's time with so few channels.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.early = nn.Linear(stride * inputs, outputs)
        self.late = nn.Linear(stride * inputs, outputs, bias=False)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Go from shape (s, t, inputs) to (s, t / stride, outputs); t is a multiple of the stride."""
        blocks = x.reshape(x.shape[0], x.shape[1] // self.stride, -1)
        late = functional.pad(self.late(blocks)[:, 1:], (0, 0, 0, 1))
        return functional.gelu(self.norm(self.early(blocks) + late))


class TraceEncoder(nn.Module):
    """Encode traces one by one.

    Args:
        outputs: Length of the vector.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        before = (3, *_CHANNELS[:-1])
        self.convolve = nn.ModuleList(
            _Strided(a, b, stride) for a, b, stride in zip(before, _CHANNELS, _STRIDES, strict=True)
        )
        width = _CHANNELS[-1]
        self.ask = nn.Linear(width + 1, _QUERIES)
        self.tell = nn.Linear(width + 1, width)
        self.join = nn.Sequential(nn.Linear((4 + _QUERIES) * width, 128), nn.GELU(), nn.Linear(128, outputs))

    def forward(self, traces: Tensor, context: Tensor) -> Tensor:
        """Encode.

        Args:
            traces: At `THIN_RATE`, shape (s, m) [mV], NaN behind the end, and throughout where there is none.
            context: Shape (s, c).

        Returns:
            Shape (s, outputs).
        """
        longest = int((~torch.isnan(traces)).sum(1).max())
        # As far as a place looks, so that no sweep's numbers depend on which others are beside it; a negative padding
        # cuts off what is nobody's.
        short = (-(-longest // _TOGETHER) + 2) * _TOGETHER - traces.shape[1]
        traces = functional.pad(traces.float(), (0, short), value=torch.nan)
        there = ~torch.isnan(traces)
        column = dict(zip(CONTEXT, context.unbind(-1), strict=True))
        time = torch.arange(traces.shape[1], device=traces.device) / THIN_RATE
        since = time - column["baseline"][:, None]
        x = self._channels(torch.nan_to_num(traces), there, since, column)
        for layer in self.convolve:
            x = layer(x)
        return self._pool(x, since, there, column["duration"][:, None])

    def _channels(self, traces: Tensor, there: Tensor, since: Tensor, column: dict[str, Tensor]) -> Tensor:
        before = there & (since < 0)
        rest = (traces * before).sum(1, keepdim=True) / before.sum(1, keepdim=True).clamp_min(1)
        inside = (since >= 0) & (since < column["duration"][:, None])
        levels = torch.stack([column["holding"], column["holding"] + column["amplitude"]], dim=1)
        low, high = (torch.asinh(levels / 30.0) / 2.0)[..., None].unbind(1)
        command = torch.where(inside, high, low)
        seen = torch.stack([(traces + 60.0) / 30.0, torch.asinh(traces - rest) / 2.0, command], dim=2)
        return seen * there[..., None]

    def _pool(self, x: Tensor, since: Tensor, there: Tensor, duration: Tensor) -> Tensor:
        """Put what was found together; a place belongs to the part of the sweep in which its middle lies."""
        middle = torch.arange(x.shape[1], device=x.device) * _TOGETHER + _MIDDLE
        middle = middle.clamp_max(since.shape[1] - 1)
        since, there = since[:, middle], there[:, middle]
        parts = [since < 0, (since >= 0) & (since < duration), since >= duration]
        means = [_mean(x, there & part) for part in parts]
        inside = (there & parts[1])[..., None]
        highest = torch.where(inside, x, torch.full_like(x, -0.2)).amax(1)
        y = torch.cat([x, torch.asinh(since / 20.0)[..., None] / 3.0], dim=-1)
        scores = self.ask(y).masked_fill(~there[..., None], -30.0)
        asked = torch.einsum("stq,stw->sqw", scores.softmax(dim=1), self.tell(y)).flatten(1)
        return torch.as_tensor(self.join(torch.cat([*means, highest, asked], dim=-1)))


def _mean(x: Tensor, where: Tensor) -> Tensor:
    """Average over some places; zero where there is none."""
    return (x * where[..., None]).sum(1) / where.sum(1, keepdim=True).clamp_min(1)
