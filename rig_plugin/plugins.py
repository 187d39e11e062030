"""This file is the plugins: rigs, simulators, estimators, features and protocols by name, ours and others'.

All come by the same way, an entry point of an installed distribution in the group `rig_plugin.<kind>`:

    [options.entry_points]
    rig_plugin.rigs =
        my-amplifier = my_package.amplifier:Amplifier
"""

from __future__ import annotations

import importlib
import re
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Literal, get_args

from simulators.refusal import Refusal

__all__ = ["KINDS", "Kind", "PluginError", "entry", "load", "names", "needs"]

Kind = Literal["rigs", "simulators", "estimators", "features", "protocols"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class PluginError(Refusal):
    """A plugin that is not there, or whose packages are not."""


def names(kind: Kind) -> tuple[str, ...]:
    """List what is installed of a kind; imports nothing.

    Args:
        kind: One of `KINDS`.

    Returns:
        The names, sorted.
    """
    return tuple(sorted(_found(kind)))


def entry(kind: Kind, name: str) -> EntryPoint:
    """Find one plugin; imports nothing.

    Args:
        kind: One of `KINDS`.
        name: As in `names`.

    Returns:
        Its entry point.

    Raises:
        PluginError: If there is none of that name.
    """
    found = _found(kind)
    if name not in found:
        there = ", ".join(sorted(found)) or "none, so install rig-plugin itself first"
        raise PluginError(f"There is no '{name}' among the {kind}: there are {there}.")
    return found[name]


def needs(found: EntryPoint) -> dict[str, str | None]:
    """Tell what a plugin needs beyond the distribution that it comes with; imports nothing.

    Args:
        found: Its entry point; what its extras ask for is what it needs.

    Returns:
        Of each package the version that is installed, or None where it is not.
    """
    asked = found.dist.requires or [] if found.dist else []
    wanted = [one for one in asked if any(re.search(rf"extra\s*==\s*['\"]{name}['\"]", one) for name in found.extras)]
    return {name: _version(name) for name in (re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in wanted)}


def load(kind: Kind, name: str) -> Any:
    """Import one plugin, and only that.

    Args:
        kind: One of `KINDS`.
        name: As in `names`.

    Returns:
        What the entry point names.

    Raises:
        PluginError: If there is none of that name, or a package that it needs is missing.
    """
    found = entry(kind, name)
    try:
        importlib.import_module(found.module)
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        raise PluginError(
            f"'{name}' of the {kind} needs {missing}, which is not installed: pip install {_remedy(found, missing)}."
        ) from error
    try:
        return found.load()
    except AttributeError as error:
        raise PluginError(
            f"'{name}' of the {kind} is not where its entry point says ({found.value}): reinstall its package."
        ) from error


def _version(name: str) -> str | None:
    """Give the installed version of a distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _found(kind: Kind) -> dict[str, EntryPoint]:
    """Read the entry points; of two that bear one name the first on the path counts, as it does for imports."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"rig_plugin.{kind}"):
        found.setdefault(point.name, point)
    return found


def _remedy(found: EntryPoint, missing: str) -> str:
    """Name what pip should install: the extra that the entry point declares, or the distribution anew."""
    distribution = found.dist.name if found.dist else missing
    if found.extras:
        return f"'{distribution}[{','.join(found.extras)}]'"
    return f"--force-reinstall {distribution}" if missing.split(".")[0] == found.module.split(".")[0] else missing
