"""This file is the arguments: kinds of values that commands take, checked before anything runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from estimators.pretrained import SHIPPED, shipped
from rig_plugin.toml_table import listed

if TYPE_CHECKING:
    from rig_plugin.membrane_tests import ModelCellCheck

__all__ = ["SPEEDS", "a_file", "a_model_cell", "a_network", "is_new", "within"]

SPEEDS = click.Choice(["real", "max"])
a_file = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


class _Network(click.Path):
    """A checkpoint, or the name of a network that ships where no file is called so."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, readable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's own
        if Path(value).exists():
            return super().convert(value, param, ctx)
        ships = shipped(str(value))
        if ships is None:
            self.fail(f"{value} is no file, a checkpoint, {listed(SHIPPED)} was wanted.", param, ctx)
        return ships


a_network = _Network()


def within(
    low: float, high: float, unit: str
) -> Callable[[click.Context, click.Parameter, float | None], float | None]:
    """Make the check of a number with a unit; click's own ranges let NaN pass, and have no unit.

    Args:
        low: Smallest value.
        high: Largest value.
        unit: As the message shows it.

    Returns:
        A callback for an option.
    """

    def check(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
        if value is not None and not low <= value <= high:
            raise click.BadParameter(f"{value:g} {unit} was given, {low:g} to {high:g} {unit} was wanted.")
        return value

    return check


def a_model_cell(context: click.Context, parameter: click.Parameter, value: str | None) -> ModelCellCheck | None:
    """Read what a model cell has.

    Args:
        context: The command's.
        parameter: The option.
        value: Numbers with commas between them: membrane [MOhm], capacitor [pF], and the pipette if it has one [MOhm].

    Returns:
        Its parts, or None where none was given.

    Raises:
        click.BadParameter: If these are not two or three positive numbers.
    """
    if value is None:
        return None
    from rig_plugin.membrane_tests import ModelCellCheck

    try:
        parts = [float(part) for part in value.split(",")]
    except ValueError:
        parts = []
    if not 2 <= len(parts) <= 3 or not all(0.0 < part < float("inf") for part in parts):
        raise click.BadParameter(f"'{value}' was given, for instance 500,33 or 500,33,10 was wanted (MOhm, pF, MOhm).")
    return ModelCellCheck(*parts)


def is_new(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """Refuse to overwrite a file, before hours are spent on what would go into it.

    Args:
        context: The command's.
        parameter: The option.
        value: Where a file is going to be written.

    Returns:
        The path, where nothing is yet and a folder waits.

    Raises:
        click.BadParameter: If something is there, or the folder is not or can't be written to.
    """
    if value is not None and value.exists():
        raise click.BadParameter(f"{value} is there and is never overwritten, so choose another name or move it.")
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"{value.parent} is no folder, so make it or choose another.")
    if value is not None and not os.access(value.parent, os.W_OK):
        raise click.BadParameter(f"{value.parent} can't be written to, so allow it or choose another folder.")
    return value
