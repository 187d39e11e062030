"""This file is the number as it is read: as many digits as it deserves, always the same width for the same thing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "MISSING", "age", "clock", "fixed", "interval", "lasting", "places", "quantiles", "significant", "space",
    "with_unit",
]  # fmt: skip

MISSING = "–"
_MINUS = "−"


def places(low: float, high: float) -> int:
    """Decide how many decimals an interval deserves.

    The half width keeps two digits where they read 10 to 35 and one where they read more.

    Args:
        low: Lower end.
        high: Upper end, in the same unit.

    Returns:
        Decimals; negative where tens or hundreds are rounded.

    References:
        Particle Data Group (2022), Prog. Theor. Exp. Phys. 083C01, section 5.3. https://doi.org/10.1093/ptep/ptac097

    Example:
        >>> places(52.0, 71.0), places(0.05, 0.13), places(1100.0, 1900.0)
        (0, 2, -2)
    """
    half = abs(high - low) / 2
    if not (math.isfinite(half) and half > 0):
        return 2
    exponent = math.floor(math.log10(half))
    leading = half / 10.0 ** (exponent - 1)
    return 1 - exponent if leading < 35.5 else -exponent


def fixed(value: float, decimals: int) -> str:
    """Write a value with a given number of decimals.

    Args:
        value: The number; NaN is missing.
        decimals: How many; negative ones round to tens, hundreds and so on.

    Returns:
        Text with a true minus sign.

    Example:
        >>> fixed(-68.24, 1), fixed(1523.0, -2), fixed(float("nan"), 1)
        ('−68.2', '1500', '–')
    """
    if not math.isfinite(value):
        return MISSING
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def significant(value: float, digits: int = 3) -> str:
    """Write a value with so many significant digits, whole numbers as they are.

    Args:
        value: The number; NaN is missing.
        digits: Significant digits.

    Returns:
        Text with a true minus sign and no power of ten.

    Example:
        >>> significant(-68.237), significant(0.07123), significant(1523.4), significant(7.0)
        ('−68.2', '0.0712', '1523', '7')
    """
    if not math.isfinite(value):
        return MISSING
    if value == 0 or (float(value).is_integer() and abs(value) < 1e6):
        return fixed(value, 0)
    return fixed(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def quantiles(draws: npt.NDArray[np.float64], shares: Sequence[float] | npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Find quantiles of few draws in a fifth of the time that NumPy's own takes, of which a trial needs some sixty.

    Args:
        draws: Samples, shape (s,).
        shares: Which, 0 to 1.

    Returns:
        One each, interpolated linearly as `numpy.quantile` does it.

    Example:
        >>> quantiles(np.array([3.0, 1.0, 2.0]), (0.5, 0.75))
        (2.0, 2.5)
    """
    ordered = np.sort(draws)
    return tuple(np.interp(np.asarray(shares) * (ordered.size - 1), np.arange(ordered.size), ordered).tolist())


def interval(draws: npt.NDArray[np.float64]) -> tuple[str, str]:
    """Write the median and the 90 % interval with the digits that the interval deserves.

    Args:
        draws: Samples, shape (s,).

    Returns:
        Median, and "low–high" or, where one is negative, "low … high".

    Example:
        >>> interval(np.linspace(51.0, 72.0, 1001))
        ('62', '52–71')
    """
    low, median, high = quantiles(draws, (0.05, 0.5, 0.95))
    decimals = places(low, high)
    joint = " … " if low < 0 or high < 0 else "–"
    return fixed(median, decimals), f"{fixed(low, decimals)}{joint}{fixed(high, decimals)}"


def with_unit(text: str, unit: str) -> str:
    """Put the unit behind a number.

    Args:
        text: The number.
        unit: As it is shown; "1" stands for none.

    Returns:
        Both, or the number alone.

    Example:
        >>> with_unit("61", "pF"), with_unit("0.95", "1")
        ('61 pF', '0.95')
    """
    return text if unit in ("", "1") else f"{text} {unit}"


def clock(seconds: float) -> str:
    """Write a time as hours, minutes and seconds.

    Args:
        seconds: Time [s].

    Returns:
        hh:mm:ss.

    Example:
        >>> clock(761.9)
        '00:12:41'
    """
    whole = int(max(0.0, seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def lasting(seconds: float) -> str:
    """Write how long something takes, in the two units that say enough.

    Args:
        seconds: Time [s].

    Returns:
        Tenths of a second to ten seconds, seconds to an hour, then minutes.

    Example:
        >>> lasting(1.16), lasting(50.0), lasting(200.0), lasting(120.0), lasting(5000.0)
        ('1.2 s', '50 s', '3 min 20 s', '2 min', '1 h 23 min')
    """
    if seconds < 9.95:
        return f"{fixed(seconds, 1).removesuffix('.0')} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    large, small, step = ("min", "s", 1) if seconds < 3599.5 else ("h", "min", 60)
    most, rest = divmod(round(seconds / step), 60)
    return f"{most} {large} {rest} {small}" if rest else f"{most} {large}"


def age(seconds: float) -> str:
    """Write how long ago something was, in the one unit that says enough.

    Args:
        seconds: Time since [s].

    Returns:
        Seconds to two minutes, minutes to two hours, then hours.

    Example:
        >>> age(0.4), age(12.7), age(150.0), age(9000.0)
        ('now', '12 s ago', '2 min ago', '2 h ago')
    """
    if seconds < 1.0:
        return "now"
    if seconds < 120.0:
        return f"{int(seconds)} s ago"
    return f"{int(seconds // 60)} min ago" if seconds < 7200.0 else f"{int(seconds // 3600)} h ago"


def space(count: int) -> str:
    """Write a number of bytes.

    Args:
        count: Bytes.

    Returns:
        Text in GB, or in MB below one.

    Example:
        >>> space(41_300_000_000), space(512_000_000)
        ('41 GB', '512 MB')
    """
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} GB" if count < 10_000_000_000 else f"{count / 1e9:.0f} GB"
    return f"{count / 1e6:.0f} MB"
