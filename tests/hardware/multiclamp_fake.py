"""The Commanders of a computer without one: they answer by the documented messages, packets and functions."""

import struct
from collections import deque

from hardware.multiclamp import Message
from hardware.multiclamp_telegraph import HeadstageId

IS_700B = HeadstageId(channel=2, serial=830123)
IS_700A = HeadstageId(channel=1, port=3, bus=1)
# uVersion to uHardwareType, packed at 4 bytes, then what a 700B has more.
BEGINNING = "<7I2dI3dIdII"
REST = "<2d16s16s16s16s"


def packet(headstage=IS_700B, **changes):
    """Lay a packet out by hand, without the program's own structure."""
    is_b = headstage.serial is not None
    told = {
        "version": 13 if is_b else 5, "size": 256 if is_b else 128, "mode": 1, "signal": 20 if is_b else 2,
        "alpha": 5.0, "factor": 0.01, "unit": 1, "corner": 6000.0, "sensitivity": 400e-12, "hardware": int(is_b),
        "serial": f"{headstage.serial or 0:08d}".encode(),
    } | changes  # fmt: skip
    beginning = struct.pack(
        BEGINNING, told["version"], told["size"], headstage.port, headstage.bus, headstage.channel, told["mode"],
        told["signal"], told["alpha"], told["factor"], told["unit"], told["corner"], 0.0, told["sensitivity"],
        21, 1.0, 6, told["hardware"],
    )  # fmt: skip
    rest = struct.pack(REST, 1.0, 1e5, b"2.2.0.2", b"1.0", b"1.0", told["serial"]) if is_b else b""
    return (beginning + rest).ljust(told["size"], b"\0")


class FakeWindow:
    """The Commanders of one computer: who opened is told of every change, who asks is answered."""

    def __init__(self, *stages):
        self.packets = {stage.packed: packet(stage) for stage in stages}
        self.came, self.subscribed, self.sent, self.is_open, self.is_deaf = deque(), set(), [], False, False

    def open(self):
        self.is_open = True

    def close(self):
        self.is_open = False

    def post(self, kind, headstage):
        assert self.is_open
        self.sent.append((kind, headstage))
        if self.is_deaf or headstage not in self.packets:
            return
        if kind == "open":
            self.subscribed.add(headstage)
        if kind == "close":
            self.subscribed.discard(headstage)
        if kind in ("open", "request"):
            self.came.append(Message("request", 0, self.packets[headstage]))

    def receive(self, patience):
        return self.came.popleft() if self.came else None

    def turn(self, stage, **changes):
        self.packets[stage.packed] = packet(stage, **changes)
        if stage.packed in self.subscribed:
            self.came.append(Message("request", 0, self.packets[stage.packed]))

    def restart(self, stage):
        self.subscribed.discard(stage.packed)
        self.came.append(Message("reconnect", stage.packed))


class FakeLibrary:
    """AxMultiClampMsg.dll by its header: a handle first, an error last, 1 for done, values in SI."""

    def __init__(self, stages=(IS_700A, IS_700B), mode=1):
        self.stages, self.mode, self.selected, self.handles = stages, mode, None, 0
        self.values = {
            "HoldingEnable": 1, "Holding": -30e-12, "BridgeBalEnable": 1, "BridgeBalResist": 12.5e6,
            "NeutralizationEnable": 1, "NeutralizationCap": 4e-12,
        }  # fmt: skip
        self.at = 0

        def create(error):
            self.handles += 1
            return 0xABCD_0000_1234

        self.MCCMSG_CreateObject = create

    def MCCMSG_DestroyObject(self, handle):
        self._check(handle)
        self.handles -= 1

    def MCCMSG_BuildErrorText(self, handle, error, text, size):
        text.value = b"MultiClamp Commander command failed."
        return 1

    def MCCMSG_FindFirstMultiClamp(self, *arguments):
        self.at = 0
        return self.MCCMSG_FindNextMultiClamp(*arguments)

    def MCCMSG_FindNextMultiClamp(self, handle, model, serial, size, port, bus, channel, error):
        self._check(handle)
        assert size.value == 16
        if self.at == len(self.stages):
            error.contents.value = 6002
            return 0
        stage = self.stages[self.at]
        self.at += 1
        model.contents.value = int(stage.serial is not None)
        serial.value = f"{stage.serial or 0:08d}".encode()
        port.contents.value, bus.contents.value, channel.contents.value = stage.port, stage.bus, stage.channel
        return 1

    def MCCMSG_SelectMultiClamp(self, handle, model, serial, port, bus, channel, error):
        number = int(serial.value) if model.value else None
        self.selected = HeadstageId(channel.value, number, port.value, bus.value).packed
        return 1

    def MCCMSG_GetMode(self, handle, mode, error):
        self._check(handle)
        mode.contents.value = self.mode
        return 1

    def __getattr__(self, name):
        key = name.removeprefix("MCCMSG_Get")
        if key not in self.__dict__.get("values", {}):
            raise AttributeError(name)

        def get(handle, value, error):
            self._check(handle)
            if self.values[key] is None:
                error.contents.value = 6006
                return 0
            value.contents.value = self.values[key]
            return 1

        return get

    def _check(self, handle):
        assert handle.value == 0xABCD_0000_1234, "A handle of 64 bits was cut."
