"""This file is the trust's part of the letter: a trial's trust as JSON has it, and read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from estimators.oddity import Check, Oddity
from rig_plugin.trial import Trust

__all__ = ["told_trust", "trust_of"]


def told_trust(trust: Trust) -> dict[str, Any]:
    """Lay a trust out for a letter; what is not finite is None."""
    return _told(asdict(trust)) | {
        "checks": [asdict(check) for check in trust.checks],
        "off": [_told(asdict(each)) for each in trust.off],
    }


def trust_of(told: Mapping[str, Any]) -> Trust:
    """Read a trust from a letter."""
    score, off = told["score"], told["off"]
    return Trust(
        in_distribution=told["in_distribution"],
        score=math.nan if score is None else score,
        reason=told["reason"],
        checks=tuple(Check(**check) for check in told["checks"]),
        off=tuple(_oddity(each) for each in off),
    )


def _oddity(told: Mapping[str, Any]) -> Oddity:
    fields: dict[str, Any] = {key: math.nan if value is None else value for key, value in told.items()}
    return Oddity(**fields)


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write numbers that JSON has no word for as None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in fields.items()
    }
