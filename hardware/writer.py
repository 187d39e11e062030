"""This file is the writer: the one thread that touches the file, and the queue that keeps acquisition from waiting."""

from __future__ import annotations

import errno
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable

from hardware.entry import Begun, Ended, Entry, Samples
from hardware.medium import Medium
from hardware.tape import Tape

__all__ = ["Writer"]

_LOG = logging.getLogger("rig_plugin")
_FLUSH = 0.1  # [s], half of what may be lost when the process is killed
_BATCH = 1 << 20  # bytes written between two looks at the clock
_HANGING = 2.0  # [s]
_AGAIN = 0.2  # [s]
_SPACE = 1.0  # [s]
_REASONS = {
    errno.ENOSPC: "is full: free some space",
    errno.EDQUOT: "has reached your quota: free some space",
    errno.EFBIG: "takes no larger file: end this recording and begin another",
    errno.EROFS: "became read-only: make it writable",
    errno.EACCES: "may not be written to: allow it",
    errno.EPERM: "may not be written to: allow it",
    errno.ENOENT: "is gone: bring it back",
    errno.ENOTDIR: "is gone: bring it back",
    errno.ENODEV: "is gone: bring it back",
    errno.ENXIO: "is gone: bring it back",
    errno.EEXIST: "holds another file of this name: move that away",
}


class Writer:
    """Takes what is to be recorded without ever waiting, and writes it in a thread of its own.

    Where the disk takes nothing, samples stay in memory and are written when it does again. Where memory has reached
    its bound as well, the newest are dropped, which the file has as a gap and `dropped` counts.

    Args:
        tape: What is written.
        medium: What the tape is written to.
        room: Samples that may wait in memory [bytes].
        clock: Monotonic time [s].
    """

    def __init__(self, tape: Tape, medium: Medium, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_disk = 0
        """Samples of one trace that would survive a kill."""
        self.dropped = 0
        """Samples of one trace for which there was no room."""
        self.free_bytes: int | None = None
        """Space left where the file lies, or None where it is unknown."""
        self.latencies: deque[float] = deque(maxlen=4096)
        """How long the last flushes took [s]."""
        self._tape, self._medium, self._room, self._clock = tape, medium, room, clock
        self._changed = threading.Condition()
        self._entries: deque[Entry] = deque()
        self._accepted = self._waiting = self._overflow = 0
        self._put = self._flushed = self._wanted = 0
        self._settled = self._looked = clock()
        self._trouble: str | None = None
        self._is_ending = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._guard, name="writer", daemon=True)
        self._look()
        self._thread.start()

    @property
    def queued(self) -> int:
        """Samples of one trace that only memory has."""
        return self._accepted - self.on_disk

    @property
    def is_done(self) -> bool:
        """Whether all was written and the file is closed."""
        return self._is_closed

    @property
    def alarm(self) -> str | None:
        """What is wrong, as a sentence, or None."""
        trouble, silence = self._trouble, self._clock() - self._settled
        if trouble is None and self._flushed < self._put and silence > _HANGING:
            trouble = f"{self._medium.path.parent} has not answered for {silence:.0f} s: check the disk"
        if trouble is None:
            return None
        lost = f"; {self.dropped} were lost, for which there was no room" if self.dropped else ""
        return f"{trouble}. {self.queued} samples are kept in memory until then{lost}."

    def put(self, entry: Entry) -> None:
        """Have something written, in its turn.

        Args:
            entry: What.
        """
        with self._changed:
            if isinstance(entry, Samples):
                if self._waiting + entry.bytes > self._room:
                    self._overflow += entry.lost + entry.count
                    self.dropped += entry.count
                    return
                entry, self._overflow = entry.after(self._overflow), 0
                self._accepted += entry.count
                self._waiting += entry.bytes
            elif isinstance(entry, Begun | Ended) and self._overflow:
                self._add(Samples({}, self._overflow))
                self._overflow = 0
            self._add(entry)
            self._changed.notify_all()

    def hurry(self) -> None:
        """Have all that was put so far brought to where it survives a kill, at once and without waiting for it."""
        with self._changed:
            self._wanted = self._put
            self._changed.notify_all()

    def flush(self, patience: float) -> bool:
        """Wait until all that was put so far would survive a kill.

        Args:
            patience: How long at most; not at all where the disk is known to take nothing [s].

        Returns:
            Whether it would.
        """
        with self._changed:
            wanted = self._wanted = self._put
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._flushed >= wanted or self._trouble is not None, patience)
            return self._flushed >= wanted

    def end(self, patience: float) -> bool:
        """Write the rest and close the file.

        Args:
            patience: How long to wait for that [s].

        Returns:
            Whether it is done; else the thread goes on trying.
        """
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join(patience)
        return self.is_done

    def abandon(self) -> None:
        """Wait for the disk no longer: what it did not take is lost."""
        self._medium.abandon()
        self._tape.close()

    def _add(self, entry: Entry) -> None:
        if self._flushed == self._put:
            self._settled = self._clock()
        self._entries.append(entry)
        self._put += 1

    def _guard(self) -> None:
        """Write until the end; what nobody foresaw is an alarm too, and samples still are not dropped in silence."""
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            _LOG.exception("The recording failed.")
            with self._changed:
                self._trouble = f"{self._medium.path} can't be written any more ({error}): begin another recording"
                self._changed.notify_all()

    def _run(self) -> None:
        taken = 0
        flushed = self._clock()
        while True:
            batch = self._take(flushed + _FLUSH - self._clock())
            self._tape.write(batch)
            taken += len(batch)
            is_last = self._is_ending and taken == self._put
            if is_last or self._clock() - flushed >= _FLUSH or self._flushed < self._wanted <= taken:
                # From beginning to beginning, so that a slow flush does not put off the next.
                flushed, begun = self._clock(), time.perf_counter()
                self._settle(taken, is_last=is_last, to_disk=any(isinstance(entry, Ended) for entry in batch))
                self.latencies.append(time.perf_counter() - begun)
            if is_last:
                return

    def _take(self, patience: float) -> list[Entry]:
        """Take what waits, or wait for it; nothing where it is time to flush."""
        with self._changed:
            if not self._entries and not self._is_ending and self._flushed >= self._wanted:
                # With nothing to be flushed there is nothing to wake up for.
                idle = self._flushed == self._put
                self._changed.wait(None if idle else max(patience, 0.0))
            batch: list[Entry] = []
            size = 0
            while self._entries and size < _BATCH:
                entry = self._entries.popleft()
                batch.append(entry)
                size += entry.bytes if isinstance(entry, Samples) else 0
            self._waiting -= size
            return batch

    def _settle(self, taken: int, *, is_last: bool, to_disk: bool) -> None:
        """Bring what was taken to the disk, however long that takes."""
        if is_last:
            self._tape.close()
        else:
            self._tape.flush()
        while True:
            try:
                self._medium.commit()
                break
            except OSError as error:
                with self._changed:
                    self._trouble = _sentence(error, self._medium)
                    self._changed.notify_all()
                    self._changed.wait(_AGAIN)
        with self._changed:
            self.on_disk, self._flushed = self._tape.count, taken
            self._trouble, self._settled = None, self._clock()
            self._changed.notify_all()
        if to_disk or is_last:
            self._sync()
        if is_last:
            self._medium.close()
            self._is_closed = True
        elif self._clock() - self._looked > _SPACE:
            self._look()

    def _sync(self) -> None:
        try:
            self._medium.sync()
        except OSError as error:
            # The system has it all the same, and tells at the next commit where that fails too.
            self._trouble = _sentence(error, self._medium)

    def _look(self) -> None:
        """See how much space is left; that may take long, so it is done here."""
        self._looked = self._clock()
        try:
            self.free_bytes = shutil.disk_usage(self._medium.path.parent).free
        except OSError:
            self.free_bytes = None


def _sentence(error: OSError, medium: Medium) -> str:
    """Say what is wrong with the disk and what to do."""
    what = _REASONS.get(error.errno or 0, f"takes nothing ({error.strerror or error}): check the disk")
    return f"{medium.path.name} can't be written, {medium.path.parent} {what}"
