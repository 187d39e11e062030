"""This file is the plugins: rigs, simulators, estimators, features and protocols by name, ours and others'.

All come by the same way, an entry point of an installed distribution in the group `rig_plugin.<kind>`:

    [project.entry-points."rig_plugin.rigs"]
    my-amplifier = "my_package.amplifier:amplifier"

What fails in a package of somebody else is told as that package's, and reaches only who asks for it.
"""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from operator import attrgetter
from typing import Any, Literal, get_args

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from simulators.refusal import Refusal

__all__ = ["KINDS", "Kind", "PluginError", "entry", "load", "make", "names", "needs"]

_OURS = "rig-plugin"

Kind = Literal["rigs", "simulators", "estimators", "features", "protocols"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class PluginError(Refusal):
    """A plugin that is not there, whose packages are not, or that fails."""


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
    """Tell what a plugin needs beyond this program and what this program needs anyway; imports nothing.

    Args:
        found: Its entry point; what its extras ask for is what it needs, and what its distribution always asks for.

    Returns:
        Of each package the version that is installed, or None where it is not, or not in a version that will do.

    Raises:
        PluginError: If the entry point or a requirement can't be read.
    """
    _module(found)
    try:
        asked = [Requirement(one) for one in (found.dist.requires or [] if found.dist else [])]
    except InvalidRequirement as error:
        raise PluginError(f"What {_package(found)} needs can't be read ({_line(error)}): ask its authors.") from error
    always = [] if _is_ours(found) else [one for one in asked if _holds(one, "")]
    more = [one for one in asked if not _holds(one, "") and any(_holds(one, extra) for extra in found.extras)]
    return {one.name: _version(one) for one in (*always, *more) if canonicalize_name(one.name) != _OURS}


def load(kind: Kind, name: str) -> Any:
    """Import one plugin, and only that.

    Args:
        kind: One of `KINDS`.
        name: As in `names`.

    Returns:
        What the entry point names.

    Raises:
        PluginError: If there is none of that name, a package that it needs is missing, its own fails, or what it names
            can't be called.
    """
    found = entry(kind, name)
    place = _module(found)
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        missing = error.name or "a package"
        raise PluginError(
            f"'{name}' of the {kind} needs {missing}, which is not installed: pip install {_remedy(found, missing)}."
        ) from error
    except Exception as error:
        if _is_ours(found):
            raise
        raise _failure(kind, found, error) from error
    try:
        loaded = attrgetter(found.attr)(module)
    except AttributeError as error:
        raise PluginError(
            f"'{name}' of the {kind} is not where its entry point says ({found.value}): reinstall its package."
        ) from error
    if not callable(loaded):
        raise PluginError(
            f"'{name}' of the {kind} is {loaded!r:.60}, something to call was wanted: mend the entry point of "
            f"{_package(found)}."
        )
    return loaded


def make(kind: Kind, name: str, *arguments: Any) -> Any:
    """Load a plugin and call it.

    Args:
        kind: One of `KINDS`.
        name: As in `names`.
        arguments: What it is called with.

    Returns:
        What it made.

    Raises:
        Refusal: As `load`, if it refuses, or, in the package of somebody else, fails.
    """
    called = load(kind, name)
    try:
        return called(*arguments)
    except Refusal:
        raise
    except Exception as error:
        if _is_ours(entry(kind, name)):
            raise
        raise _failure(kind, entry(kind, name), error) from error


def _is_ours(found: EntryPoint) -> bool:
    """Whether it comes with this program, whose defects are its own."""
    return found.dist is not None and canonicalize_name(found.dist.name) == _OURS


def _module(found: EntryPoint) -> str:
    """Name the module of an entry point that can be read."""
    try:
        return found.module
    except (AttributeError, ValueError) as error:
        # Which of both depends on who reads entry points: Python, or a package that stands in for it.
        raise PluginError(
            f"The entry point of '{found.name}' is {found.value!r}, one like 'package.module:function' was wanted: ask "
            f"the authors of {_package(found)}."
        ) from error


def _package(found: EntryPoint) -> str:
    """Name a distribution and its version."""
    return f"{found.dist.name} {found.dist.version}" if found.dist else "its package"


def _failure(kind: Kind, found: EntryPoint, error: Exception) -> PluginError:
    """Say that the package of somebody else failed."""
    said = f": {_line(error)}" if str(error) else ""
    return PluginError(
        f"'{found.name}' of the {kind} can't be used, {_package(found)} fails with {type(error).__name__}{said}: "
        "update it, or tell its authors (RIG_PLUGIN_DEBUG=1 shows where)."
    )


def _line(error: Exception) -> str:
    """Write what a library says in one line."""
    return " ".join(str(error).split())


def _holds(asked: Requirement, extra: str) -> bool:
    """Whether something is asked for on this computer, with one extra or, "", with none."""
    return asked.marker is None or asked.marker.evaluate({"extra": extra})


def _version(asked: Requirement) -> str | None:
    """Give the installed version of a distribution, where it is one that will do."""
    try:
        there = version(asked.name)
    except PackageNotFoundError:
        return None
    return there if asked.specifier.contains(there, prereleases=True) else None


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
