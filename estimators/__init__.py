"""Networks that go backwards: from sweeps to the posterior over a cell's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estimators.ensemble import Estimator
    from estimators.fitting import fit
    from estimators.prior import Prior

__all__ = ["Estimator", "Prior", "fit"]

_HOMES = {"Estimator": "estimators.ensemble", "Prior": "estimators.prior", "fit": "estimators.fitting"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    # Late, since torch is heavy and who imports a submodule may not need it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
