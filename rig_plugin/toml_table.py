"""This file is the TOML table: keys of one table, checked against the frozen dataclass that they make."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from simulators.refusal import Refusal

__all__ = ["SettingsError", "TomlTable", "key", "listed"]

Made = TypeVar("Made")


class SettingsError(Refusal):
    """A rig file that can't be used: names the file, the key, its value and what was wanted."""


def key(
    default: Any,
    name: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    factor: float = 1.0,
    one_of: tuple[str, ...] = (),
) -> Any:
    """Declare a field of such a dataclass.

    Args:
        default: Taken where the file is silent.
        name: The key in the file, with its unit where it has one: `rate_kHz`.
        low: Smallest number, in the file's unit.
        high: Largest number, in the file's unit.
        factor: From the file's unit to the field's.
        one_of: The words that it, or each of a list, may be; none allows all, but in a list.

    Returns:
        The field; its annotation says the type.
    """
    return field(default=default, metadata={"key": name, "low": low, "high": high, "factor": factor, "one_of": one_of})


def listed(names: Iterable[str]) -> str:
    """Write names as a sentence has them.

    Args:
        names: At least one.

    Returns:
        The names with commas, and "or" before the last.

    Example:
        >>> listed(["rig", "cell", "limits"])
        'rig, cell or limits'
    """
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


class TomlTable:
    """One table of a file, on its way to a dataclass.

    Args:
        path: The file, for messages and for the paths in it, which are relative to its folder.
        name: The table's.
        values: What `tomllib` read.
    """

    def __init__(self, path: Path, name: str, values: Mapping[str, Any]) -> None:
        self._path, self._name, self._values = path, name, values
        self._is_read = False

    def make(self, kind: type[Made]) -> Made:
        """Check every key and make the dataclass.

        Args:
            kind: A dataclass of `key` fields, and at most one mapping without a key of its own, which then takes every
                number of another name.

        Returns:
            The instance.

        Raises:
            SettingsError: If a key is unknown, of the wrong type or out of range.
            TypeError: If the kind is no dataclass.
        """
        if not is_dataclass(kind):
            raise TypeError(f"{kind.__name__} is no dataclass.")
        self._is_read = True
        declared = {f.metadata["key"]: f for f in fields(kind) if "key" in f.metadata}
        hints = get_type_hints(kind)
        free = [f.name for f in fields(kind) if "key" not in f.metadata]
        others = {name: value for name, value in self._values.items() if name not in declared}
        if others and not free:
            raise SettingsError(
                f"{self._path}: [{self._name}] has no key {next(iter(others))}: use {listed(declared)}."
            )
        numbers = {name: self._number(name, value) for name, value in others.items()}
        made: dict[str, Any] = dict.fromkeys(free, numbers)
        for name, value in self._values.items():
            if name in declared:
                made[declared[name].name] = self._read(name, value, declared[name], hints[declared[name].name])
        return kind(**made)

    def check_read(self) -> None:
        """Refuse what nobody reads.

        Raises:
            SettingsError: If there are keys, and nothing was made of them.
        """
        if self._values and not self._is_read:
            raise SettingsError(
                f"{self._path}: [{self._name}] has {next(iter(self._values))}, and the driver '{self._name}' reads no "
                "table of its own: remove it."
            )

    def refusal(self, name: str, wanted: str) -> SettingsError:
        """Make the error for one key.

        Args:
            name: The key.
            wanted: What it should have been, with units.

        Returns:
            The error, for the caller to raise.
        """
        return SettingsError(f"{self._path}: [{self._name}] {name} is {self._values.get(name)!r}, {wanted} was wanted.")

    def _read(self, name: str, value: Any, declared: Field[Any], hint: Any) -> Any:
        """Turn one value into what its annotation says."""
        wanted = next(kind for kind in (*get_args(hint), hint) if kind is not NoneType)
        low, high, one_of = (declared.metadata[bound] for bound in ("low", "high", "one_of"))
        if isinstance(declared.default, tuple):
            if wanted is str:
                return self._words(name, value, one_of)
            if not isinstance(value, list):
                raise self.refusal(name, "a list of numbers")
            return tuple(self._number(name, item, low, high) for item in value)
        if wanted is float:
            return self._number(name, value, low, high) * declared.metadata["factor"]
        if wanted is int:
            if type(value) is not int or not low <= value <= high:
                raise self.refusal(name, f"a whole number{_range(low, high)}")
            return value
        if not isinstance(value, str) or not value:
            raise self.refusal(name, "a text in quotation marks")
        if one_of and value not in one_of:
            raise self.refusal(name, listed(repr(word) for word in one_of))
        return self._path.parent / Path(value).expanduser() if wanted is Path else value

    def _words(self, name: str, value: Any, one_of: tuple[str, ...]) -> tuple[str, ...]:
        """Check a list of words."""
        if not isinstance(value, list) or any(word not in one_of for word in value):
            raise self.refusal(name, f"a list of any of {listed(repr(word) for word in one_of)}")
        return tuple(value)

    def _number(self, name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
        """Check a number; TOML has inf, nan and booleans too, of which none is a quantity."""
        if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
            raise self.refusal(name, f"a number{_range(low, high)}")
        return float(value)


def _range(low: float, high: float) -> str:
    """Write a range as a sentence has it; nothing where all is allowed."""
    if math.isinf(low) and math.isinf(high):
        return ""
    return f" of at least {low:g}" if math.isinf(high) else f" between {low:g} and {high:g}"
