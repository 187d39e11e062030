"""This file is the display: whether a window can be opened here, asked before Qt would end the program itself."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping

from simulators.refusal import Refusal

__all__ = ["DisplayError", "check_display"]

_HEADLESS = "`rig-plugin run --json` or `rig-plugin replay FILE --json` work without a window"

_ALWAYS = {
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
}
_XCB = {
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_QT6 = {"libEGL.so.1": "libegl1", "libxcb-cursor.so.0": "libxcb-cursor0"}


class DisplayError(Refusal):
    """No window can be opened here; the message is one sentence with the remedy."""


def check_display(
    environment: Mapping[str, str] | None = None,
    platform: str = sys.platform,
    load: Callable[[str], object] = ctypes.CDLL,
) -> None:
    """Refuse where Qt would abort the process: no display, no X server behind it, or missing libraries on Linux.

    Call it before anything imports Qt. Elsewhere than on Linux Qt brings all it needs and nothing is checked.

    Args:
        environment: Environment variables; the process's own by default.
        platform: As `sys.platform`.
        load: What loads a shared library and raises OSError where it can't.

    Raises:
        DisplayError: With one sentence that names the packages to install, or the command that needs no window.
    """
    environment = os.environ if environment is None else environment
    if not platform.startswith("linux"):
        return
    chosen = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    has_x, has_wayland = bool(environment.get("DISPLAY")), bool(environment.get("WAYLAND_DISPLAY"))
    if not (chosen or has_x or has_wayland):
        raise DisplayError(
            f"There is no display here (DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM are not set): {_HEADLESS}."
        )
    uses_x = chosen == "xcb" or (not chosen and has_x)
    libraries = _ALWAYS | (_XCB if uses_x else {})
    if environment.get("PYQTGRAPH_QT_LIB", "PyQt5") in ("PySide6", "PyQt6"):
        libraries = libraries | _QT6
    missing = _missing(libraries, load)
    if missing:
        raise DisplayError(
            "Qt lacks libraries of this system: on Debian or Ubuntu `sudo apt-get install "
            f"{' '.join(missing)}` brings them, and {_HEADLESS}."
        )
    if uses_x and not _answers(environment.get("DISPLAY", ""), load):
        raise DisplayError(
            f"The X server of DISPLAY={environment.get('DISPLAY', '')} does not answer: start it or correct DISPLAY, "
            f"and {_HEADLESS}."
        )


def _missing(libraries: Mapping[str, str], load: Callable[[str], object]) -> list[str]:
    """Find the packages of the libraries that can't be loaded, each once, in order."""
    packages: dict[str, None] = {}
    for library, package in libraries.items():
        try:
            load(library)
        except OSError:
            packages[package] = None
    return list(packages)


def _answers(display: str, load: Callable[[str], object]) -> bool:
    """Connect to the X server as Qt would and let go again."""
    xcb = load("libxcb.so.1")
    if not isinstance(xcb, ctypes.CDLL):
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
