"""This file is the control: it runs sessions in a thread of their own, and is what the window's buttons reach."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rig_plugin.feed import Feed, RecordingStatus
from rig_plugin.session import Session
from simulators.refusal import Refusal

__all__ = ["Control"]

_LOG = logging.getLogger("rig_plugin")


class Control:
    """Start, stop and mark, each at once; a session that can't be opened says why in the window.

    Args:
        make: Opens a new session that tells the feed; raises a refusal where it can't.
        feed: Where the window looks.
    """

    def __init__(self, make: Callable[[Feed], Session], feed: Feed) -> None:
        self._make, self._feed = make, feed
        self._session: Session | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def status(self) -> RecordingStatus | None:
        """How the recording is doing, or None before the session began."""
        return self._feed.recording

    def start(self) -> None:
        """Begin, or begin anew after an end; while a session runs this does nothing."""
        if self._thread is None or not self._thread.is_alive():
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="session")
            self._thread.start()

    def stop(self) -> None:
        """End the session within one block; the rig returns the command to its exit state."""
        # One that is still being opened ends before its first sweep.
        self._stopping.set()
        session = self._session
        if session is not None:
            session.stop()

    def mark(self, text: str = "") -> None:
        """Note this moment in the recording.

        Args:
            text: What for.
        """
        session = self._session
        if session is not None:
            session.mark(text)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the session to be over.

        Args:
            timeout: How long [s]; None as long as it takes.
        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        """Open and run one session; a refusal before it began is told as its end."""
        try:
            self._session = self._make(self._feed)
        except Refusal as refusal:
            self._feed.ended(str(refusal))
            return
        except Exception as error:  # noqa: BLE001 - a defect ends the session, not the window
            _LOG.exception("The session could not be opened.")
            self._feed.ended(str(error))
            return
        try:
            if self._stopping.is_set():
                self._session.stop()
            self._session.run()
        except Refusal:
            # The session has told the feed why.
            return
        except Exception:  # noqa: BLE001 - as above
            _LOG.exception("The session failed.")
        finally:
            self._session = None
