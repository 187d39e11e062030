"""This file is the session: it closes the loop from the stimulus over the cell to the posterior.

Play, save first, then infer, then tell. It is plain Python: no Qt, no process; a listener that fails is logged and
never stops a recording.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from estimators.context import Context
from estimators.features import NAMES
from estimators.observer import Observer, Verdict
from estimators.prequential import Prediction
from hardware.confirmation import confirm
from hardware.recorder import Recorder
from hardware.rig import Block, Rig, RigError
from rig_plugin.account import Account
from rig_plugin.audience import Audience, Listener
from rig_plugin.crop import Crop, crop
from rig_plugin.feed import RecordingStatus
from rig_plugin.foresight import Foresight
from rig_plugin.gate import Gate
from rig_plugin.gaze import Gaze
from rig_plugin.interval import Interval
from rig_plugin.lull import lull
from rig_plugin.narration import narrated
from rig_plugin.overlaying import overlaid
from rig_plugin.protocol import Asked, Protocol, Request
from rig_plugin.quality import Quality
from rig_plugin.reel import Maker, Reel
from rig_plugin.refiner import Refiner
from rig_plugin.remark import remarks
from rig_plugin.rule import Alarm, stopping, warning
from rig_plugin.since_first import SinceFirst
from rig_plugin.single_thread import single_thread
from rig_plugin.stretch import Hold, further, paged, traces, tracks
from rig_plugin.take import Take
from rig_plugin.trial import Latency, Posterior, Trial, Trust, laid_out
from rig_plugin.under_drug import blocks, foreseen, judged, kept
from simulators.compiled import is_cold
from simulators.harm import Harm
from simulators.parameter import Parameter
from simulators.refusal import Refusal
from simulators.stimulus import Stimulus
from simulators.sweep import Sweep

__all__ = ["Session"]

_LOG = logging.getLogger("rig_plugin")


class Session:
    """One cell, from the first stimulus to the last.

    Args:
        rig: What answers.
        observer: What infers.
        parameters: What it infers.
        protocol: What is played.
        recorder: Where samples are saved, or None.
        listeners: Who is told.
        interval: From the start of one sweep to that of the next; None waits for nothing.
        overlays: Whether cells of the posterior are simulated under each sweep's command, once all else is told.
        quality: Rules that a sweep is held against before it is inferred from; None takes the defaults.
        make: Makes a recorder when somebody asks for one in the middle; None where nothing can be recorded.
        harm: At which voltages a sweep is broken off for the cell's sake; None where nothing is put out.
        confirms: Whether a test pulse has to show that the cell is in current clamp before anything else is put out.
        first: When the first sweep of the cell began, where that was before this session.
    """

    def __init__(
        self,
        rig: Rig,
        observer: Observer,
        parameters: Sequence[Parameter],
        protocol: Protocol,
        recorder: Recorder | None = None,
        listeners: Sequence[Listener] = (),
        interval: Interval | None = None,
        overlays: bool = False,
        quality: Quality | None = None,
        confirms: bool = False,
        make: Maker | None = None,
        harm: Harm | None = None,
        first: datetime | None = None,
    ) -> None:
        self._rig, self._observer, self._parameters = rig, observer, tuple(parameters)
        self._reel, self._audience = Reel(recorder, make), Audience(listeners)
        self._interval, self._overlays = interval or Interval(), overlays
        self._gate = Gate(narrated(protocol, self._reel, self._audience), self._interval)
        self._quality, self._confirms, self._harm = quality or Quality(), confirms, harm
        self._account = Account(self._reel)
        self._foresight, self._gaze = Foresight(), Gaze(parameters)
        self._stopping, self._ending = threading.Event(), threading.Event()
        self._since_first = SinceFirst(first)
        self.refiner: Refiner | None = None

    @property
    def status(self) -> RecordingStatus:
        """How the recording is doing."""
        return self._account.status()

    def stop(self) -> None:
        """End the session within one block; may be called from any thread."""
        self._stopping.set()
        self.end()
        self._rig.stop()

    def end(self) -> None:
        """End the session when the running sweep is over; may be called from any thread."""
        self._ending.set()
        self._gate.end()

    def is_over(self) -> bool:
        """Tell whether it is to end; from any thread."""
        return self._ending.is_set()

    def note(self) -> None:
        """Hold this moment for the next mark that has a text, which is still being typed; from any thread."""
        self._account.note()

    def mark(self, text: str = "") -> None:
        """Note the samples received so far as a moment worth finding again; may be called from any thread.

        Args:
            text: What for; with it, a moment that was held is the one that is noted.
        """
        self._account.mark(text)

    def record(self, on: bool, folder: Path | None = None) -> None:
        """Record into a new file from the next sweep on, or end the recording after this one; from any thread.

        Args:
            on: Whether it is recorded.
            folder: Where the file is made; None leaves it where the rig file says.
        """
        self._reel.ask(on, folder)
        self._gate.wake()

    def look(self, names: Sequence[str]) -> None:
        """Tell slices of the posterior after each sweep from the next on; may be called from any thread.

        Args:
            names: Of the parameters along which it is sliced; none ends it.

        Raises:
            GazeError: As `Gaze.turn`.
        """
        self._gaze.turn(names)

    def gate(self, mode: str) -> None:
        """Play each sweep at once ("auto"), or only after `go` ("accept"), and tell what is next; from any thread.

        Args:
            mode: One of the two.

        Raises:
            GateError: If it is another word.
        """
        self._gate.turn(mode)

    def go(self) -> None:
        """Play the sweep that waits; may be called from any thread."""
        self._gate.go()

    def skip(self) -> None:
        """Pass over the sweep that is next; may be called from any thread."""
        self._gate.skip()

    def run(self) -> None:
        """Play the whole protocol."""
        for _ in self.trials():
            pass

    def trials(self) -> Iterator[Trial]:
        """Play the protocol and give each trial when it is saved, read and told.

        Yields:
            The trials; a sweep that was stopped gives none.

        Raises:
            RigError: If the rig fails, a test pulse does not confirm current clamp where one has to, or the protocol
                asks in voltage clamp; listeners have been told, and what was recorded is closed.
        """
        reason: str | None = None
        try:
            # Compiled and loaded before the rig is opened: neither may stall a recording.
            if is_cold():
                _LOG.warning("Compiling the kernels: once after an installation, about a minute.")
            self._observer.warm(overlays=self._overlays)
            with lull(), single_thread(), self._foresight, self._rig:
                yield from self._trials()
            reason = self._gate.reason
        except Exception as error:
            reason = str(error)
            raise
        finally:
            try:
                self._gate.close(reason)
                if self._recorder is not None:
                    self._recorder.close()
                    self._tell("status", self.status)
            except Refusal as error:
                reason = f"{reason} {error}" if reason else str(error)
                raise
            finally:
                self._tell("ended", reason)

    def _trials(self) -> Iterator[Trial]:
        if self._confirms:
            confirm(self._rig, self._ending.is_set)
        index, request = 0, self._next(None)
        while request is not None and not self._ending.is_set():
            self._turn()
            if not isinstance(request, Request):
                if isinstance(request, Hold):
                    self._watch(request)
                else:
                    request.play(self._rig, self._tell, self._ending, self._account)
                # What was broken off is not over: nobody asks what comes after it.
                if self._ending.is_set():
                    return
                request = self._next(None)
                continue
            self._interval.begin()
            trial = self._refused(index, request) if request.stimulus is None else self._play(index, request)
            if trial is None:
                return
            self._tell("finished", trial)
            if self._overlays and (shown := overlaid(trial, request, self._observer)) is not None:
                self._tell("overlaid", trial.index, shown)
            sliced = self._gaze.slices(self._observer)
            if sliced is not None:
                self._tell("sliced", trial.index, sliced)
            yield trial
            index += 1
            request = self._next(trial)

    @property
    def _recorder(self) -> Recorder | None:
        return self._reel.recorder

    def _turn(self) -> None:
        """Begin or end a recording where that was asked for, and say how it is."""
        self._account.turn(self._tell)

    def _next(self, trial: Trial | None) -> Asked | None:
        """Wait for what is next and may be played; None is the protocol's end."""
        return self._gate.next(trial, partial(self._tell, "proposed"), self._turn)

    def _refused(self, index: int, request: Request) -> Trial:
        """Make the trial of a recorded sweep that can't be played."""
        missing = np.full(len(NAMES), np.nan)
        nowhere = Context(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, self._rig.rate)
        verdict = self._observer.observe(missing, nowhere, refusal=request.refusal)
        return self._trial(index, request, None, missing, verdict, None, Latency(0.0, None, 0.0))

    def _play(self, index: int, request: Request) -> Trial | None:
        """Play one sweep, save it, and read it; None where it was stopped."""
        if (stimulus := request.stimulus) is None:
            return None
        if stimulus.clamp != "current":
            raise RigError(
                "The protocol asks in voltage clamp; a session reads steps of current, one in pA was wanted."
            )
        # The levels of what is put out, and of what the amplifier adds, are the cell's stimulus.
        seen = self._rig.seen(stimulus).dosed(request.doses) if request.doses else self._rig.seen(stimulus)
        part = crop(seen, request.history)
        coming = part.context(self._rig.rate)
        if self._stopping.is_set():
            return None
        take: Take | None = None
        with contextlib.closing(blocks(self._rig, stimulus, request)) as coming_in:
            for came in coming_in:
                if take is None:
                    take = self._begin(part, seen, request, came)
                    self._foresight.ask(lambda: foreseen(self._observer, coming, seen))
                if self._recorder is not None:
                    self._recorder.append(came)
                self._account.take(came)
                self._hand(take.push(came))
                self._tell("status", self.status)
                if self._stopping.is_set() or take.harm is not None:
                    # A stop that came just before the rig began to play was forgotten by it.
                    self._rig.stop()
        return None if take is None or self._stopping.is_set() else self._read(index, request, take)

    def _read(self, index: int, request: Request, take: Take) -> Trial:
        """Make a trial of a sweep that is whole: save it, and while the disk takes it, infer; then save that too."""
        if self._recorder is not None:
            self._recorder.hurry()
        if take.harm is not None:
            self._account.settle()
        begun = time.perf_counter()
        sweep = take.sweep()
        row, broken = take.read(sweep, self._quality)
        measured = time.perf_counter()
        # As a rule it was there long before the sweep's end.
        prediction = self._foresight.answer()
        context = take.context(self._since_first.at(sweep.start, index))
        verdict = judged(self._observer, sweep, self._parameters, row, context, prediction, stopping(broken))
        inferred = time.perf_counter()
        latency = Latency(1e3 * (measured - begun), 1e3 * (inferred - measured), 1e3 * (inferred - begun))
        trial = self._trial(index, request, sweep, row, verdict, prediction, latency, broken)
        if self._recorder is not None:
            self._recorder.finish(trial.features, {**trial.to_json(), **kept(request), "marks": self._account.marks})
            self._recorder.flush()
        self._tell("status", self.status)
        return trial

    def _watch(self, hold: Hold) -> None:
        """Record a held command without gaps until it is over, or the session is to end."""
        rig, rate = self._rig, self._rig.rate
        page = hold.page
        begun, is_first = False, True
        with contextlib.closing(rig.hold(hold.level)) as blocks:
            for is_new, block in paged(blocks, round(page.duration * rate), hold.duration * rate):
                if is_new and self._reel.is_asked:
                    # A held command has no end of its own: its pages are the borders.
                    self._reel.finish_stretch(begun)
                    self._turn()
                    begun = False
                if self._recorder is not None:
                    if not begun:
                        start = rig.origin.start if is_first else datetime.now().astimezone()
                        self._recorder.start_continuous(rate, tracks(block, rig.gains), start)
                    self._recorder.append_continuous(traces(block), block.lost)
                    begun = True
                is_first = False
                self._account.take_continuous(block)
                if is_new:
                    self._tell("started", page, rate, None, *filter(None, [further(block, rig.gains)]))
                self._hand(block.whole)
                self._tell("status", self.status)
                if self._ending.is_set():
                    rig.stop()
        if rig.invalid is not None:
            self.mark(rig.invalid)
        self._reel.finish_stretch(begun)
        self._tell("status", self.status)

    def _begin(self, part: Crop, stimulus: Stimulus, request: Request, came: Block) -> Take:
        """Open the file's sweep and tell who listens, once the rig plays."""
        rate = self._rig.rate
        self._account.expect(len(stimulus.command(rate)))
        if self._recorder is not None:
            self._recorder.start(stimulus, rate, self._rig.origin)
        self._tell("started", stimulus, rate, request.file_sweep, *filter(None, [further(came, self._rig.gains)]))
        return Take(part, stimulus, self._rig, self._harm)

    def _trial(
        self,
        index: int,
        request: Request,
        sweep: Sweep | None,
        row: npt.NDArray[np.float64],
        verdict: Verdict,
        prediction: Prediction | None,
        latency: Latency,
        broken: tuple[Alarm, ...] = (),
    ) -> Trial:
        features = dict(zip(NAMES, (float(value) for value in row), strict=True))
        posterior = Posterior(self._parameters, verdict.draws) if verdict.draws is not None else None
        reasons = [*verdict.reasons, *warning(broken)]
        if sweep is not None:
            reasons += remarks(sweep, posterior)
            reasons += filter(None, [self._interval.remark(posterior, features["rest"])])
            if self._rig.added is not None:
                reasons.append(f"A dynamic clamp adds {self._rig.added}: what is inferred is the cell with it.")
        return Trial(
            index=index,
            file_sweep=request.file_sweep,
            sweep=sweep,
            features=features,
            posterior=posterior,
            sweeps_used=verdict.sweeps_used,
            trust=Trust(verdict.in_distribution, verdict.score, " ".join(reasons) or None, verdict.checks, verdict.off),
            latency=latency,
            next_stimulus=None if request.following is None else laid_out(request.following),
            predictive=prediction.intervals() if prediction else {},
            shifts=verdict.shifts,
        )

    def _hand(self, block: Block) -> None:
        """Tell the samples of a block; further channels are spoken of only where there are any."""
        self._tell("block", block.response, block.command, *filter(None, [block.others]))

    def _tell(self, event: str, *what: object) -> None:
        self._audience.tell(event, *what)
