"""This file is the window to a MultiClamp Commander: hidden, and only there for the messages; Windows alone has it.

References:
    Microsoft, Win32: RegisterWindowMessage, PostMessage, WM_COPYDATA. Axon Instruments (1999), MCTelegraphs.hpp: the
    names of the messages; a packet comes as WM_COPYDATA whose dwData is the number of the request's message.
"""

from __future__ import annotations

import sys

from hardware.amplifier import AmplifierError
from hardware.multiclamp import Kind, Mailbox, Message

__all__ = ["NAMES", "mailbox"]

NAMES: dict[Kind, str] = {
    "open": "MultiClampTelegraphOpenMsg",
    "close": "MultiClampTelegraphCloseMsg",
    "request": "MultiClampTelegraphRequestMsg",
    "reconnect": "MultiClampTelegraphReconnectMsg",
}
"""What the messages are registered as."""

_COPY_DATA = 0x004A
_BROADCAST = 0xFFFF
_LONGEST = 4096

if sys.platform == "win32":
    import ctypes
    import time
    from collections import deque
    from ctypes import wintypes

    _PROCEDURE = ctypes.WINFUNCTYPE(ctypes.c_ssize_t, wintypes.HWND, wintypes.UINT, ctypes.c_size_t, ctypes.c_ssize_t)

    class _CopyData(ctypes.Structure):
        _fields_ = (("number", ctypes.c_size_t), ("size", wintypes.DWORD), ("data", ctypes.c_void_p))

    class _WindowClass(ctypes.Structure):
        _fields_ = (
            ("style", wintypes.UINT),
            ("procedure", _PROCEDURE),
            ("class_extra", ctypes.c_int),
            ("window_extra", ctypes.c_int),
            ("instance", wintypes.HINSTANCE),
            ("icon", wintypes.HANDLE),
            ("cursor", wintypes.HANDLE),
            ("background", wintypes.HANDLE),
            ("menu", wintypes.LPCWSTR),
            ("name", wintypes.LPCWSTR),
        )

    class Window:
        """A hidden top-level window; a message-only one would hear no broadcast."""

        def __init__(self) -> None:
            self._user, self._kernel = ctypes.WinDLL("user32"), ctypes.WinDLL("kernel32")
            self._kernel.GetModuleHandleW.restype = wintypes.HINSTANCE
            self._kernel.GetModuleHandleW.argtypes = (wintypes.LPCWSTR,)
            self._user.CreateWindowExW.restype = wintypes.HWND
            self._user.CreateWindowExW.argtypes = (
                *(wintypes.DWORD, wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD),
                *(4 * (ctypes.c_int,)),
                *(wintypes.HWND, wintypes.HMENU, wintypes.HINSTANCE, ctypes.c_void_p),
            )
            for name in ("DefWindowProcW", "PostMessageW"):
                function = getattr(self._user, name)
                function.argtypes = (wintypes.HWND, wintypes.UINT, ctypes.c_size_t, ctypes.c_ssize_t)
            self._user.DefWindowProcW.restype = ctypes.c_ssize_t
            self._user.DestroyWindow.argtypes = (wintypes.HWND,)
            self._user.UnregisterClassW.argtypes = (wintypes.LPCWSTR, wintypes.HINSTANCE)
            self._numbers = {kind: int(self._user.RegisterWindowMessageW(name)) for kind, name in NAMES.items()}
            self._came: deque[Message] = deque()
            self._procedure = _PROCEDURE(self._hear)
            self._window: int | None = None
            self._name = f"rig-plugin telegraph {id(self)}"

        def open(self) -> None:
            """Make the window."""
            instance = self._kernel.GetModuleHandleW(None)
            described = _WindowClass(procedure=self._procedure, instance=instance, name=self._name)
            self._user.RegisterClassW(ctypes.byref(described))
            place = (0, 0, 0, 0)
            self._window = self._user.CreateWindowExW(0, self._name, self._name, 0, *place, None, None, instance, None)
            if not self._window:
                raise AmplifierError(f"A window for the MultiClamp's telegraph can't be made ({ctypes.WinError()}).")

        def close(self) -> None:
            """Take the window away."""
            if self._window:
                self._user.DestroyWindow(self._window)
                self._user.UnregisterClassW(self._name, self._kernel.GetModuleHandleW(None))
            self._window = None
            self._came.clear()

        def post(self, kind: Kind, headstage: int) -> None:
            """Send a message to all windows."""
            number = ctypes.c_int32(headstage & 0xFFFFFFFF).value
            self._user.PostMessageW(_BROADCAST, self._numbers[kind], self._window or 0, number)

        def receive(self, patience: float) -> Message | None:
            """Wait for the next message so long [s], or give None."""
            end = time.monotonic() + patience
            message = wintypes.MSG()
            while True:
                while self._user.PeekMessageW(ctypes.byref(message), self._window, 0, 0, 1):
                    self._user.DispatchMessageW(ctypes.byref(message))
                if self._came:
                    return self._came.popleft()
                rest = end - time.monotonic()
                if rest <= 0:
                    return None
                # All kinds of input wake it.
                self._user.MsgWaitForMultipleObjects(0, None, False, max(1, int(1e3 * rest)), 0x04FF)

        def _hear(self, window: int, number: int, first: int, second: int) -> int:
            if number == self._numbers["reconnect"]:
                self._came.append(Message("reconnect", second & 0xFFFFFFFF))
                return 1
            if number == _COPY_DATA and second:
                came = _CopyData.from_address(second)
                if came.number == self._numbers["request"] and came.data and came.size <= _LONGEST:
                    self._came.append(Message("request", 0, ctypes.string_at(came.data, came.size)))
                    return 1
            answer: int = self._user.DefWindowProcW(window, number, first, second)
            return answer


def mailbox() -> Mailbox:
    """Make the window through which a Commander on this computer is heard.

    Returns:
        It, closed.

    Raises:
        AmplifierError: If this is not Windows.
    """
    if sys.platform == "win32":
        return Window()
    raise AmplifierError(
        "The MultiClamp's telegraph reaches programs on Windows only and this is another system: enter the settings by "
        "hand, with kind = 'manual' in [amplifier]."
    )
