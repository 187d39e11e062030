"""This file is the quiet: what libraries say stays away from the user and out of the JSON."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import TextIO

__all__ = ["is_debugging", "quiet"]


class _OneLine(logging.Formatter):
    """A record of the program's own log as one line; the traceback is for RIG_PLUGIN_DEBUG."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        cause = f": {type(error).__name__}: {error}" if error else ""
        return " ".join(f"{record.getMessage()}{cause}".split())


def is_debugging() -> bool:
    """Tell whether the environment asks for tracebacks and warnings (RIG_PLUGIN_DEBUG=1)."""
    return os.environ.get("RIG_PLUGIN_DEBUG", "") not in ("", "0")


@contextlib.contextmanager
def quiet() -> Iterator[TextIO]:
    """Silence libraries for as long as a command runs.

    File readers print what they stumble over and the others warn of their own future. An electrophysiologist can
    do nothing about either, and one stray line on standard output breaks whoever parses it. What a user has to
    know is raised as a refusal or stands in the trial; so the rest is dropped here, once, at the border. Under
    RIG_PLUGIN_DEBUG=1 all of it goes to standard error instead.

    Yields:
        The true standard output, for the program's own lines.
    """
    stdout = sys.stdout
    if is_debugging():
        with contextlib.redirect_stdout(sys.stderr):
            yield stdout
        return
    own, root = logging.getLogger("rig_plugin"), logging.getLogger()
    spoken, dropped = logging.StreamHandler(), logging.NullHandler()
    spoken.setFormatter(_OneLine())
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        # A library may reset the filters when it is imported (hdmf does); then nobody is left to show the warning.
        warnings.showwarning = _drop
        own.addHandler(spoken)
        root.addHandler(dropped)
        try:
            yield stdout
        finally:
            own.removeHandler(spoken)
            root.removeHandler(dropped)


def _drop(*_: object, **__: object) -> None:
    """Show a warning to nobody."""
