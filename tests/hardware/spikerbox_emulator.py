"""A SpikerBox behind a pty: frames as fast as they are read, and the type of the board where it is asked for."""

import os
import select
import threading
import tty


def frames(codes):
    """Lay out samples, one row a moment, one column a channel."""
    out = bytearray()
    for row in codes:
        for k, code in enumerate(row):
            out += bytes([(code >> 7) & 0x7F | (0 if k else 0x80), code & 0x7F])
    return bytes(out)


def message(text):
    return b"\xff\xff\x01\x01\x80\xff" + text.encode("latin-1") + b"\xff\xff\x01\x01\x81\xff"


class Box:
    """Sends a ramp of codes over and over; `spoil` may change what is sent, `mute` sends no more."""

    def __init__(self, channels=1, board="MUSCLESB", bits=10, period=0.002, per_period=20):
        self.channels, self.board, self._top = channels, board, 1 << bits
        self._period, self._count, self._at = period, per_period, 0
        self.spoil, self.mute, self.asked = lambda data: data, threading.Event(), threading.Event()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="SpikerBox")
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
        waiting = b""
        while not self._ends.is_set():
            ready, room, _ = select.select([self._master], [self._master], [], self._period)
            if ready and b"b:;" in os.read(self._master, 4096):
                self.asked.set()
                waiting += message(f"HWT:{self.board};FWV:1.0;") if self.board else b""
            if room and not self.mute.is_set():
                if not waiting:
                    rows = [[(self._at + k + c) % self._top for c in range(self.channels)] for k in range(self._count)]
                    self._at += self._count
                    waiting = self.spoil(frames(rows))
                waiting = waiting[os.write(self._master, waiting) :]
            self._ends.wait(self._period)
