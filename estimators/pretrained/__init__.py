"""The networks that ship, each with the spec that made it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FIRST", "SHIPPED", "shipped"]

SHIPPED = ("cortical-steps", "patchseq-13", "cortical-tracking")
"""Their names."""

FIRST = Path(__file__).with_name(f"{SHIPPED[0]}.h5")
"""The one that serves who names none."""


def shipped(name: str) -> Path | None:
    """Find a network that ships.

    Args:
        name: As a user would say it.

    Returns:
        Its checkpoint, or None where no network that ships is called so.

    Example:
        >>> shipped("cortical-steps").name, shipped("another")
        ('cortical-steps.h5', None)
    """
    return FIRST.with_stem(name) if name in SHIPPED else None
