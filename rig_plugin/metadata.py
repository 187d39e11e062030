"""This file is the metadata: what a recording says of the session that made it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from estimators.checkpoint import Checkpoint
from estimators.pretrained import FIRST
from hardware.rig import Rig
from rig_plugin.settings import Settings

__all__ = ["fingerprint", "metadata"]


def metadata(settings: Settings, checkpoint: Checkpoint, rig: Rig) -> dict[str, Any]:
    """Describe a session; junction potential and bridge lie with each sweep, since they may change.

    Args:
        settings: What the rig file says; its network is the checkpoint.
        checkpoint: The network.
        rig: What answers.

    Returns:
        A mapping that `json.dumps(..., allow_nan=False)` takes; what is unknown is None.
    """
    recording = settings.recording
    return {
        "rig": settings.rig.kind,
        "rate_kHz": rig.rate,
        "gains": {name: asdict(gain) for name, gain in rig.gains.items()},
        "limits_pA": [rig.limits.low, rig.limits.high],
        "exit_pA": rig.exit_level,
        "amplifier": settings.amplifier.kind,
        "dyclamp": {name: value for name, value in settings.dyclamp.conductances.items() if value},
        "network": checkpoint.spec.name,
        "checkpoint": fingerprint(settings.network.path),
        "protocol": {"name": "family", **asdict(settings.protocol)},
        "subject": recording.subject,
        "cell": recording.cell,
        "notes": recording.notes,
    }


def fingerprint(network: Path | None) -> str | None:
    """Give the SHA-256 of a network's file, by which the one that inferred can be known again.

    Args:
        network: A checkpoint; None is the first of those that ship.

    Returns:
        In hexadecimal digits, or None where the file can't be read.
    """
    try:
        return hashlib.sha256((network or FIRST).read_bytes()).hexdigest()
    except OSError:
        return None
