"""This file is the origin: what the numbers of a file were made from, in words that a later run can compare.

Whatever is named here can be found again by that name in another process, and described without pickle.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulators.refusal import Refusal

__all__ = ["OriginError", "code", "describe", "find", "name"]


class OriginError(Refusal):
    """Something can't be named or described so that another process would find the same."""


def name(thing: type | Any) -> str:
    """Name a class or function so that another process can import it.

    Args:
        thing: A class or function.

    Returns:
        "package.module:name".

    Raises:
        OriginError: If it would not be found there, as in a notebook, a script's own process, or inside a function.

    Example:
        >>> name(Refusal)
        'simulators.refusal:Refusal'
    """
    module, path = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    text = f"{module}:{path}"
    if not module or not path or module == "__main__" or _found(text) is not thing:
        shown = path or repr(thing)
        raise OriginError(f"{shown} can't be imported from {module}; define it at the top of a module of its own.")
    return text


def find(text: str) -> Any:
    """Import what a name stands for.

    Args:
        text: "package.module:name".

    Returns:
        The class or function.

    Raises:
        OriginError: If it is not there.

    Example:
        >>> find("simulators.refusal:Refusal")
        <class 'simulators.refusal.Refusal'>
    """
    found = _found(text)
    if found is None:
        raise OriginError(f"{text!r} can't be imported; 'package.module:name' of something installed was wanted.")
    return found


def _found(text: str) -> Any:
    module, _, path = text.partition(":")
    try:
        found = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found


def describe(value: object) -> Any:
    """Describe plain data so that equal data, and no other, have the same description.

    Args:
        value: Numbers, strings, arrays, frozen dataclasses, and tuples, lists and dictionaries of them.

    Returns:
        The same as JSON holds it; an array as its type, shape and digest.

    Raises:
        OriginError: If it is anything else.

    Example:
        >>> describe({"E_Na": np.float64(55.0), "gates": ("m", "h")})
        {'E_Na': 55.0, 'gates': ['m', 'h']}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return [value.dtype.str, list(value.shape), digest]
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if isinstance(value, dict):
        return {str(key): describe(value[key]) for key in sorted(value, key=str)}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: describe(getattr(value, field.name)) for field in fields(value)}
    raise OriginError(f"{value!r} is a {type(value).__name__}; numbers, text, arrays or dataclasses were wanted.")


def code(*things: type | Any) -> str:
    """Digest the source that classes and functions are made of: their packages' files, and those of their bases.

    Args:
        things: Classes or functions, as `name` takes them.

    Returns:
        A digest that changes with any of these files.
    """
    sources: set[Path] = set()
    for thing in things:
        for part in thing.__mro__ if isinstance(thing, type) else (thing,):
            if part.__module__.split(".")[0] not in sys.stdlib_module_names:
                module = sys.modules[part.__module__]
                own = Path(str(module.__file__))
                # A file without a package has neighbours that are nothing to it.
                sources |= set(own.parent.glob("*.py")) if module.__package__ else {own}
    contents = sorted(hashlib.sha256(source.read_bytes()).hexdigest() for source in sources)
    return hashlib.sha256(" ".join(contents).encode()).hexdigest()
