"""This file is the opening: from what a user asked for to a session that is ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path

import torch

from estimators.checkpoint import Checkpoint, load
from estimators.domain import Domain, DomainError
from estimators.observer import Observer
from estimators.pretrained import FIRST
from hardware.choice import Choice
from hardware.pace import Speed
from hardware.recorder import Recorder
from hardware.recording import RecordingError
from hardware.replay import Replay
from hardware.rig import Rig
from rig_plugin.adaptive import Adaptive
from rig_plugin.advice import question_of
from rig_plugin.audience import Audience, Listener
from rig_plugin.interjection import DrugSession, Interjection
from rig_plugin.interval import Interval, check_interval
from rig_plugin.metadata import fingerprint, metadata
from rig_plugin.narration import retold
from rig_plugin.plug import Scene
from rig_plugin.plugins import PluginError, make
from rig_plugin.plugs import drug
from rig_plugin.protocol import Protocol, family, gap_free, recorded
from rig_plugin.quality import Quality
from rig_plugin.refiner import Refiner
from rig_plugin.replay_settings import ReplaySettings
from rig_plugin.scripted import Retold, Scripted, retold_in
from rig_plugin.session import Session
from rig_plugin.settings import Settings
from rig_plugin.unread import unread
from simulators.stimulus import Stimulus

__all__ = ["attach", "network", "replay", "rig"]

_RATE_FACTORS = {"patchseq": 2.3 ** ((25.0 - 36.0) / 10.0)}
"""Of processes that are not simulated at the temperature of their M current, with its Q10, as Bernaerts et al. (2025)
have it. https://doi.org/10.1016/j.patter.2025.101323"""


def network(path: Path | None = None) -> Checkpoint:
    """Load a network.

    Args:
        path: A checkpoint; None takes the first of those that ship.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: If it can't be used.
    """
    # A posterior is many small operations: a second thread waits more than it works, the longer the busier the rig.
    torch.set_num_threads(1)
    return load(path or FIRST)


def rig(settings: Settings) -> Rig:
    """Make the rig that a rig file describes, with its amplifier.

    Args:
        settings: What it says.

    Returns:
        The rig, closed.

    Raises:
        Refusal: If its kind is unknown, or a setting can't be used.
    """
    kind = settings.rig.kind
    made = make("rigs", kind, settings)
    if not isinstance(made, Rig):
        raise PluginError(f"'{kind}' of the rigs made {made!r:.60}, a hardware.rig.Rig was wanted: tell its authors.")
    settings.driver.check_read()
    # An amplifier's holding comes on top of all that the protocol asks.
    made.ask(settings.amplifier.amplifier(made.telegraphs))
    return made


def attach(
    settings: Settings,
    checkpoint: Checkpoint,
    *,
    sweeps: int | None = None,
    out: Path | None = None,
    listeners: Sequence[Listener] = (),
    overlays: bool = False,
    scripted: Scripted | None = None,
    refines: bool = False,
) -> Session:
    """Open a session on a rig.

    Args:
        settings: What the rig file says.
        checkpoint: The network.
        sweeps: How many sweeps; None plays the family once.
        out: Where to save; None takes a new file in the settings' folder, if there is one.
        listeners: Who is told.
        overlays: Whether they are told what cells of the posterior do under each sweep's command.
        scripted: A script that is played in place of the family; None plays that.
        refines: Whether its posterior can be refined; whoever asks closes the session's refiner.

    Returns:
        The session.

    Raises:
        Refusal: If a setting can't be used, no stimulus lies in the network's domain, the script can't be played to its
            end, or the file is there already.
    """
    if scripted is not None:
        settings = replace(settings, protocol=replace(settings.protocol, gap_free=0.0))
    attached = rig(_of_the_process(settings, checkpoint))
    attached.accompany(settings.dyclamp.companion(attached.limits, partial(Audience(listeners).tell, "beside")))
    asked = settings.protocol
    stimuli = asked.stimuli() if scripted is None else scripted.rehearse(settings, checkpoint, attached)
    if scripted is None and not asked.gap_free:
        _check_some(stimuli, attached.rate, checkpoint.domain)
    interval = _interval(settings, checkpoint, attached, () if asked.gap_free else stimuli)
    folder = settings.recording.folder
    if out is None and folder is not None:
        out = _new(folder)
    described = metadata(settings, checkpoint, attached)
    seed = settings.rig.seed or 0
    observer = Observer(checkpoint, seed=seed)
    chosen_by = settings.protocol.chosen_by if scripted is None else "script"
    refiner = _refiner(settings, observer, listeners, chosen_by) if refines else None
    protocol: Protocol = gap_free(asked.holding, asked.gap_free) if asked.gap_free else family(stimuli, sweeps)
    chooser, scene = None, Scene(attached, observer, checkpoint, settings)
    if scripted is not None:
        described |= scripted.metadata(seed)
        protocol = scripted.protocol(scene, described)
    elif (chooser := _chooser(settings, checkpoint, attached, observer, interval, sweeps)) is not None:
        protocol = chooser.play()
    aside = Interjection(scene, drug)
    session = (Session if scripted is not None else DrugSession)(
        attached,
        observer,
        checkpoint.spec.parameters,
        protocol if scripted is not None else aside.around(protocol),
        Recorder(out, described) if out else None,
        (*listeners, *filter(None, [refiner])),
        interval,
        overlays,
        Quality(settings.quality),
        _confirms(settings, attached),
        partial(_recorder, settings.recording.where, described),
        settings.limits.harm(),
        None if scripted is None else scripted.start,
    )
    session.refiner = refiner
    scene.is_over = session.is_over
    if isinstance(session, DrugSession):
        session.interjection = aside
    if chooser is not None:
        chooser.attend(session.is_over)
        if asked.chosen_by == "accept":
            session.gate("accept")
    return session


def _refiner(settings: Settings, observer: Observer, listeners: Sequence[Listener], chosen_by: str) -> Refiner:
    """Make what refines the posterior, when the rig file says or somebody asks."""
    after = settings.refine.within(chosen_by)
    refiner = Refiner(listeners, settings.network.path or FIRST, after, settings.rig.seed or 0)
    refiner.attend(observer)
    return refiner


def _chooser(
    settings: Settings,
    checkpoint: Checkpoint,
    attached: Rig,
    observer: Observer,
    interval: Interval,
    sweeps: int | None,
) -> Adaptive | None:
    """Make what chooses the stimuli, where the rig file wants that."""
    asked, protocol = settings.adaptive, settings.protocol
    if protocol.chosen_by == "family" or protocol.gap_free:
        return None
    asked.parameters(checkpoint.spec.names)
    question = question_of(settings, attached, protocol.chosen_by, interval.duration)
    if sweeps is not None:
        question = replace(question, settings=replace(asked, sweeps=sweeps))
    stimuli = protocol.stimuli()
    return Adaptive(question, observer, interval, stimuli if sweeps is None else stimuli[:sweeps])


def _interval(settings: Settings, checkpoint: Checkpoint, attached: Rig, stimuli: Sequence[Stimulus]) -> Interval:
    """Keep the pace that was asked for; a simulated cell that is computed as fast as can be waits for nothing."""
    if not attached.is_alive and settings.rig.pace == "max":
        return Interval()
    duration = settings.protocol.interval
    check_interval(duration, stimuli, is_alive=attached.is_alive and bool(stimuli))
    return Interval(duration, _RATE_FACTORS.get(checkpoint.spec.process.name, 1.0))


def _confirms(settings: Settings, attached: Rig) -> bool:
    """Tell whether the cell has to show its clamp mode, since nobody tells it and something is to be put out."""
    protocol = settings.protocol
    if protocol.gap_free and protocol.holding == attached.exit_level:
        return False
    return settings.rig.confirm == "always" or (attached.is_alive and settings.amplifier.kind is None)


def _recorder(meant: Path, described: Mapping[str, object], folder: Path | None) -> Recorder:
    """Make a recorder with a new file; the folder that is meant is made where it is not there."""
    if folder is None:
        meant.mkdir(parents=True, exist_ok=True)
    return Recorder(_new(folder or meant), described)


def _new(folder: Path) -> Path:
    """Name a recording by the second in which it begins, and by a number where there is one of that second."""
    now = f"{datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}"
    names = chain([f"{now}.h5"], (f"{now}-{k}.h5" for k in count(2)))
    return next(path for path in map(folder.joinpath, names) if not path.exists())


def _of_the_process(settings: Settings, checkpoint: Checkpoint) -> Settings:
    """Let a simulated cell of which nothing else was said be one that the network knows."""
    model = settings.cell.model or checkpoint.spec.process.name
    return replace(settings, cell=replace(settings.cell, model=model))


def _check_some(stimuli: Sequence[Stimulus], rate: float, domain: Domain) -> None:
    """Refuse a family from which nothing could be inferred; one that leaves the domain here and there is played."""
    refusals = unread(stimuli, domain, rate)
    if refusals and refusals[0] is not None and None not in refusals:
        raise DomainError(refusals[0])


def replay(
    settings: ReplaySettings,
    checkpoint: Checkpoint,
    listeners: Sequence[Listener] = (),
    overlays: bool = False,
    refines: bool = False,
) -> Session:
    """Open a session on a recording.

    Args:
        settings: Which, and how to read it.
        checkpoint: The network.
        listeners: Who is told.
        overlays: As `attach`.
        refines: As `attach`; only when somebody asks.

    Returns:
        The session.

    Raises:
        RecordingError: If the file can't be read, or the epoch, channel or window that was asked for is not there.
    """
    speed: Speed = "max" if settings.pace == "max" else "real"
    rig = Replay(
        settings.file,
        epoch=settings.epoch,
        junction_potential=settings.junction_potential,
        bridge=settings.bridge,
        sweep=settings.sweep,
        choice=Choice(settings.channel, settings.current_channel),
        window=settings.window,
        speed=speed,
    )
    refusals = [passage.refusal for passage in rig.stimuli]
    if settings.overrides and None not in refusals:
        raise RecordingError(f"{settings.file}: {refusals[0]}")
    # One sweep alone is asked what it says by itself.
    told = retold_in(settings.file) if settings.sweep is None else Retold()
    protocol = retold(rig.stimuli, told.decisions) if told.decisions else recorded(rig.stimuli)
    observer = told.observer(checkpoint, fingerprint(settings.network))
    refiner = Refiner(listeners, settings.network or FIRST) if refines else None
    if refiner is not None:
        refiner.attend(observer)
    session = Session(
        rig,
        observer,
        checkpoint.spec.parameters,
        protocol,
        None,
        (*listeners, *filter(None, [refiner])),
        overlays=overlays,
        quality=Quality(settings.quality.recorded()),
        first=told.start,
    )
    session.refiner = refiner
    return session
