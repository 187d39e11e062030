"""This file is the export: one recording becomes one NWB file, or nothing at all."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import h5py  # type: ignore[import-untyped]
from pynwb import NWBHDF5IO  # type: ignore[import-untyped]

from hardware.export.amplifier import amplifier_table
from hardware.export.findings import findings
from hardware.export.head import head, pipette
from hardware.export.icephys import gap_free_row, icephys_tables, sweep_row
from hardware.export.partial import PartialFile, clear_leftovers
from hardware.export.played import played
from hardware.export.samples import Pour, pour
from hardware.export.timeline import timeline
from hardware.export.traces import further_series, segment_series, sweep_series
from hardware.kept.loss import Loss
from hardware.kept.session import KeptSession, kept_session

__all__ = ["MODULE", "export", "recover"]

MODULE = "icephys"
"""Name of the processing module that holds what was played, read and inferred."""


def export(path: Path, out: Path, meanings: Mapping[str, str] | None = None) -> dict[str, object]:
    """Write one NWB file of a recording.

    It is written in one pass to a hidden file beside `out` and takes its name when it is whole and on the disk; tables
    of an NWB file that exists are never appended to, which corrupts them.

    Args:
        path: The recording, which is never changed.
        out: The file to make.
        meanings: What each feature means, with its unit.

    Returns:
        {"file", "nwb", "bytes", "sweeps", "unfinished", "segments", "membrane_tests", "samples", "marks",
        "lost_samples", "lost", "removed"}: counts of what was written, numbers of the sweeps that were not finished,
        what is missing, and the leftovers of killed exports.

    Raises:
        RecordingError: If the file is no recording of this program, or is damaged.
        ExportError: If `out` is there, or can't be written.
    """
    return _export(path, out, meanings or {}, thorough=False)


def recover(path: Path, out: Path, meanings: Mapping[str, str] | None = None) -> dict[str, object]:
    """Write one NWB file of whatever a recording still holds: as `export`, but damage is told and left out.

    Args:
        path: As `export`.
        out: As `export`.
        meanings: As `export`.

    Returns:
        As `export`.

    Raises:
        RecordingError: If nothing of the file can be read.
        ExportError: As `export`.
    """
    return _export(path, out, meanings or {}, thorough=True)


def _export(path: Path, out: Path, meanings: Mapping[str, str], *, thorough: bool) -> dict[str, object]:
    with kept_session(path, thorough=thorough) as session:
        removed = clear_leftovers(out.parent, path)
        losses = [*session.losses, *(loss for sweep in session.sweeps for loss in sweep.losses)]
        losses += [loss for test in session.tests for loss in test.losses]
        losses += [loss for segment in session.segments for loss in segment.losses]
        with PartialFile(out, path).open() as (file, check):
            _write(file, session, losses, meanings, pour(check))
        return {
            "file": str(path),
            "nwb": str(out),
            "bytes": out.stat().st_size,
            "sweeps": len(session.sweeps),
            "unfinished": [sweep.index for sweep in session.sweeps if not sweep.complete],
            "segments": len(session.segments),
            "membrane_tests": len(session.tests),
            "samples": sum(s.response.samples for s in [*session.sweeps, *session.tests])
            + sum(s.samples for s in session.segments),
            "marks": len(session.marks),
            "lost_samples": sum(loss.samples or 0 for loss in losses),
            "lost": [loss.to_json() for loss in losses],
            "removed": removed,
        }


def _write(file: h5py.File, session: KeptSession, losses: list[Loss], meanings: Mapping[str, str], pour: Pour) -> None:
    """Describe everything, then let the samples stream through."""
    times = timeline(session)
    nwb = head(session, times.zero)
    electrode = pipette(nwb, session)
    pulsed = zip([*session.sweeps, *session.tests], [*times.sweeps, *times.tests], strict=True)
    rows = []
    for sweep, start in pulsed:
        rows.append(sweep_row(sweep, sweep_series(sweep, start, electrode, pour)))
        further_series(nwb, sweep, start, pour)
    for segment, start in zip(session.segments, times.segments, strict=True):
        pair = segment_series(nwb, segment, start, electrode, pour)
        if pair is not None:
            rows.append(gap_free_row(segment.index, pair))
    if rows:
        icephys_tables(nwb, rows, electrode)
    module = nwb.create_processing_module(
        name=MODULE, description="What was played, what was read off the sweeps, and what was inferred from them."
    )
    for made in [*played(session.sweeps), *amplifier_table(session.sweeps), *findings(session, losses, meanings)]:
        module.add(made)
    with warnings.catch_warnings():
        # HDMF warns of its own future; what a user has to know stands in the file.
        warnings.simplefilter("ignore")
        with NWBHDF5IO(file=file, mode="w") as io:
            io.write(nwb)
