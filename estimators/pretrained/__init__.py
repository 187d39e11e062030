"""The networks that ship, each with the spec that made it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SHIPPED", "shipped"]

SHIPPED = ("cortical-steps", "patchseq-13")
"""Their names; the first serves who names none."""


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
    return Path(__file__).with_name(f"{name}.h5") if name in SHIPPED else None
