"""This file is the refusal: the one kind of error that a user can mend."""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(ValueError):
    """What a user gave can't be used; the message is one sentence that says what, where and the remedy.

    Every package's own errors derive from it, so that the command line knows bad input (exit status 2) from a
    defect of the program (exit status 1) without importing the packages that could raise it.

    Example:
        >>> raise Refusal("Sampling rate is -1 kHz, a positive one was wanted.")
        Traceback (most recent call last):
        simulators.refusal.Refusal: Sampling rate is -1 kHz, a positive one was wanted.
    """
