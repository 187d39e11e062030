"""This file is the adaptive settings: whether the posterior chooses the next stimulus, and when that is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rig_plugin.toml_table import SettingsError, key, listed

__all__ = ["AdaptiveSettings"]

_BESIDE = frozenset({"noise", "bridge", "offset", "discrepancy"})


@dataclass(frozen=True)
class AdaptiveSettings:
    """Table [adaptive]: how stimuli are chosen where [protocol] has them chosen.

    Args:
        sweeps: Most sweeps that are chosen.
        worth: Gain that a sweep has to promise [nat].
        rest: Shortest time that the cell is left alone after a sweep [ms].
        budget: Time that a choice may take in a paced session, where the interval leaves as much [ms].
        risk: Largest share of the sweeps that the posterior expects that may have to be broken off.
        prefer: Of sweeps as good as the best, the "cheapest" is taken; or the one that gains most a "second".
        widths: {parameter that matters: width of its 90 % interval, in its unit, at which it is known well enough, or
            0 for as well as can be}; none for all parameters of the cell.
    """

    sweeps: int = key(20, "sweeps", low=1, high=1000)
    worth: float = key(0.1, "worth_nat", low=0.0, high=100.0)
    rest: float = key(1000.0, "rest_s", low=0.0, high=600.0, factor=1000.0)
    budget: float = key(2000.0, "budget_ms", low=50.0, high=60_000.0)
    risk: float = key(0.02, "risk", low=0.001, high=0.5)
    prefer: str = key("cheapest", "prefer", one_of=("cheapest", "second"))
    widths: Mapping[str, float] = field(default_factory=dict)

    def parameters(self, names: Sequence[str]) -> tuple[str, ...]:
        """Tell which parameters matter.

        Args:
            names: Of the network, in order.

        Returns:
            Those that are named, or all that are neither of the rig nor of the model's error.

        Raises:
            SettingsError: If the network infers none of that name, or a width is negative.
        """
        unknown = [name for name in self.widths if name not in names]
        if unknown:
            raise SettingsError(
                f"[adaptive] names {unknown[0]}, which the network does not infer: use {listed(names)}."
            )
        for name, width in self.widths.items():
            if width < 0:
                raise SettingsError(f"[adaptive] {name} is {width:g}, a width of at least 0 was wanted.")
        return tuple(name for name in names if (name in self.widths if self.widths else name not in _BESIDE))
