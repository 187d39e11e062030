"""This file is the watchman: a small network that has seen what goes wrong at a rig, and tells it from cells.

What is not expected at all shows in the density of features; what is known to go wrong shows sooner to who was taught
it. Fresh sweeps are simulated, the faults of `estimators.faults` are planted in their traces, and the network learns to
tell these, and sweeps of `estimators.strangers`, from the sound ones. Its scores are ranked among those of sound
sweeps, like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from estimators.context import CONTEXT
from estimators.designs import draw_set
from estimators.distortion import Distortion
from estimators.faults import FAULTS, Fault, planted
from estimators.scaling import Scaling
from estimators.spec import Spec
from estimators.strangers import STRANGERS, Stranger, encounter, strange_to

__all__ = ["TAUGHT", "Watchman", "lessons"]

TAUGHT: Mapping[str, Fault | Stranger] = MappingProxyType({**FAULTS, **STRANGERS})
"""What a watchman may be taught, by its name."""

_WIDTH = 128
_EPOCHS = 30
_BATCH = 512
_RATE = 2e-3
_HOLDING, _KNOWN = CONTEXT.index("holding"), CONTEXT.index("holding_known")
_AMPLITUDE = CONTEXT.index("amplitude")
_CELLS, _DESIGNS = 16, 160
"""Of a stranger: cells that see each design, and how many designs there are at most."""

Array = npt.NDArray[np.float64]


class Watchman(nn.Module):
    """How much a sweep looks like a fault rather than like a cell on a sound rig.

    Args:
        taught: Which he knows, of `TAUGHT`.

    Attributes:
        taught: The same, in the order of what he says.
    """

    def __init__(self, taught: Iterable[str]) -> None:
        super().__init__()
        self.taught = tuple(taught)
        self.scaling = Scaling()
        self.layers = nn.Sequential(
            nn.Linear(self.scaling.width, _WIDTH),
            nn.SiLU(),
            nn.Linear(_WIDTH, _WIDTH),
            nn.SiLU(),
            nn.Linear(_WIDTH, len(self.taught)),
        )

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        """Give the log odds of each fault against soundness.

        Args:
            features: Shape (n, f), NaN where missing.
            context: Shape (n, c).

        Returns:
            Shape (n, faults).
        """
        tokens = self.scaling(features[:, None], context[:, None])[:, 0]
        return torch.as_tensor(self.layers(tokens))

    def learn(self, sweeps: dict[str, tuple[Array, Array]], scaling: Scaling, rng: np.random.Generator) -> None:
        """Learn to tell faults from sound sweeps, in place.

        Args:
            sweeps: From `lessons`, of all that he is taught.
            scaling: Of the features, fitted.
            rng: Source of randomness.
        """
        self.scaling.load_state_dict(scaling.state_dict())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            for layer in self.layers:
                if isinstance(layer, nn.Linear):
                    layer.reset_parameters()
        names = ["none", *self.taught]
        features, context = (
            torch.from_numpy(np.concatenate([sweeps[name][k] for name in names]).astype(np.float32)) for k in (0, 1)
        )
        kind = torch.from_numpy(np.repeat(np.arange(len(names)), [len(sweeps[name][0]) for name in names]))
        measured = ~torch.isnan(features).all(dim=1)
        features, context, kind = features[measured], context[measured], kind[measured]
        # As much weight for soundness as for any fault, however many of each were measured.
        weights = 1.0 / torch.bincount(kind, minlength=len(names)).clamp(min=1)
        optimizer = torch.optim.AdamW(self.layers.parameters(), lr=_RATE, weight_decay=1e-3)
        batches = -(-len(kind) // _BATCH)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _EPOCHS * batches)
        for _ in range(_EPOCHS):
            for rows in torch.split(torch.from_numpy(rng.permutation(len(kind))), _BATCH):
                odds = functional.pad(self(features[rows], context[rows]), (1, 0))
                loss = functional.cross_entropy(odds, kind[rows], weights / weights.mean())
                optimizer.zero_grad(set_to_none=True)
                torch.as_tensor(loss).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
        self.eval().requires_grad_(False)


def lessons(
    spec: Spec, count: int, rng: np.random.Generator, distortion: Distortion | None = None
) -> dict[str, tuple[Array, Array]]:
    """Simulate single sweeps, sound, with each fault planted in their traces, and of strangers.

    Args:
        spec: The process.
        count: How many sweeps.
        rng: Source of randomness.
        distortion: How the model errs, which is no fault; without it the model is right.

    Returns:
        Features (n, f) and contexts (n, c) as the program would have them, by the fault's name, "none" without one; a
        fault that wants a large step has fewer, and so have strangers.
    """
    context = np.concatenate([draw_set(spec.designs, rng, 1) for _ in range(count)])
    u = rng.standard_normal((count, len(spec.parameters)))
    theta = np.stack([p.constrain(u[:, k]) for k, p in enumerate(spec.parameters)], axis=1)
    found = planted(dict(FAULTS), theta, context, spec.nuisances, rng, spec.names)
    if distortion is not None:
        found = {name: distortion.forecast(features, theta, rng) for name, features in found.items()}
    told = _told(context)
    sweeps = {}
    for name, features in found.items():
        smallest = FAULTS[name].smallest if name in FAULTS else 0.0
        kept = np.abs(context[:, _AMPLITUDE]) >= smallest
        sweeps[name] = features[kept], told[kept]
    simple = replace(spec.designs, prepulse=0.0)
    designs = np.concatenate([draw_set(simple, rng, 1) for _ in range(min(_DESIGNS, -(-count // _CELLS)))])
    shown = _told(np.repeat(designs, _CELLS, axis=0))
    for name in strange_to(spec.process):
        sweeps[name] = encounter(name, spec, designs, _CELLS, rng), shown
    return sweeps


def _told(context: Array) -> Array:
    """Hide the holdings that are not known."""
    told = context.copy()
    told[:, _HOLDING] *= told[:, _KNOWN]
    return told
