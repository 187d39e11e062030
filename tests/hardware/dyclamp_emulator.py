"""A Teensy with the dyClamp sketch, byte by byte, behind a pty: what the sketch does with each byte, good or bad."""

import os
import re
import select
import struct
import threading
import tty

CALIBRATION = (50.0, 400.0, 5.5, -11500.0, 750.0, 2000.0, 0.0)
CODE = 1466  # at the input, -68.74 mV by this calibration


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def atoi(text):
    found = re.match(r"\s*([+-]?\d+)", text)
    return int(found[1]) if found else 0


def atof(text):
    found = re.match(r"\s*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)", text)
    return single(float(found[1])) if found else 0.0


class Sketch:
    """The sketch: `hear` bytes, `tick` once each 20 ms, `say` what it gives back."""

    def __init__(self, calibration=CALIBRATION, conductances=(0.0,) * 8, sign=1):
        self.calibration, self.conductances = [single(v) for v in calibration], [single(v) for v in conductances]
        self.sign, self.report, self.heard, self.said = sign, False, bytearray(), bytearray()
        self.written = []

    def hear(self, data):
        self.heard += data

    def say(self):
        said, self.said = bytes(self.said), bytearray()
        return said

    @property
    def voltage(self):
        gain, _, slope, offset, *_, shift = self.calibration
        return slope / gain * CODE + offset / gain + shift

    @property
    def current(self):
        """What its converter gives for a shunt that reverses at 0 mV, cut where its codes end."""
        wanted = -self.conductances[0] * self.voltage if self.conductances[0] > 0 else 0.0
        _, sensitivity, _, _, slope, middle, _ = self.calibration
        code = min(max(int(slope / sensitivity * wanted + middle), 0), 4095)
        return (code - middle) * sensitivity / slope

    def tick(self):
        if len(self.heard) > 4:
            line, end, rest = self.heard.partition(b"\n")
            # Its time-out is one millisecond: what has not come by then is not waited for.
            self.heard = rest if end else bytearray()
            text = line.decode("latin-1") + "\n"
            self.said += text.encode("latin-1")
            self._interpret(text)
        if self.report:
            self.said += self._frame(self.voltage, self.current, 9.0)

    def _interpret(self, text):
        place = text.find("\t")
        if not text.startswith("\r") or place < 0:
            return
        index, value = atoi(text[1:place]) * self.sign, text[place + 1 :]
        if index == 0:
            self._run(atoi(value))
            return
        numbers = self.conductances if index > 0 else self.calibration
        if abs(index) <= len(numbers):
            numbers[abs(index) - 1] = atof(value)
            self.written.append((index, atof(value)))

    def _run(self, command):
        if command == 1:
            for k in reversed(range(len(self.calibration))):
                self.said += self._frame(-self.sign * (k + 1), self.calibration[k])
            for k, value in enumerate(self.conductances):
                self.said += self._frame(self.sign * (k + 1), value)
        elif command == 2:
            self.report = not self.report

    @staticmethod
    def _frame(*values):
        return ("\r" + "\t".join(f"{value:.2f}" for value in values) + "\n").encode("ascii")


class Board:
    """The sketch on a pty; `to_board` and `from_board` may spoil what passes."""

    def __init__(self, sketch=None, period=0.001):
        self.sketch, self._period = sketch or Sketch(), period
        self.to_board = self.from_board = lambda data: data
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dyClamp")
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unplug()

    def unplug(self):
        if self._thread.is_alive():
            self._ends.set()
            self._thread.join()
            os.close(self._master)
            os.close(self._slave)

    def _run(self):
        while not self._ends.is_set():
            ready, _, _ = select.select([self._master], [], [], self._period)
            if ready:
                self.sketch.hear(self.to_board(os.read(self._master, 4096)))
            self.sketch.tick()
            said = self.from_board(self.sketch.say())
            # As the sketch, it says nothing to who does not listen.
            if said and select.select([], [self._master], [], 0)[1]:
                os.write(self._master, said)
