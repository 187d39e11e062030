"""This file is the head: what an NWB file says of the session, the subject, the device and the electrode."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynwb import NWBFile  # type: ignore[import-untyped]
from pynwb.device import Device, DeviceModel  # type: ignore[import-untyped]
from pynwb.file import Subject  # type: ignore[import-untyped]

from hardware.export.amplifier import filtering
from hardware.export.table import plain
from hardware.kept.session import KeptSession

__all__ = ["head", "pipette"]

_PROGRAM = "rig-plugin"
_TEXTS = (
    "experiment_description",
    "institution",
    "lab",
    "notes",
    "pharmacology",
    "protocol",
    "session_id",
    "slices",
    "stimulus_notes",
    "surgery",
    "virus",
)
_LISTS = ("experimenter", "keywords", "related_publications")
_DURATION = re.compile(r"P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?")
_SPECIES = re.compile(r"[A-Z][a-z]* [a-z]+|http://purl\.obolibrary\.org/obo/NCBITaxon_\d+")
_ANY_LIFE = "http://purl.obolibrary.org/obo/NCBITaxon_1"
_WEIGHT = re.compile(r"\d+(\.\d+)? (kg|g|mg)")


def head(session: KeptSession, start: datetime) -> NWBFile:
    """Make the file with all but its data.

    Args:
        session: The recording.
        start: Time zero of the file (aware).

    Returns:
        The file, in memory.
    """
    metadata = session.metadata
    texts = {key: plain(metadata[key]) for key in _TEXTS if isinstance(metadata.get(key), str) and metadata[key]}
    if "session_id" in texts:
        texts["session_id"] = texts["session_id"].replace("/", "-")
    lists = {key: items for key in _LISTS if (items := _texts(metadata.get(key)))}
    # The same recording has the same identifier, however often it is exported.
    origin = f"{_PROGRAM} {session.created.isoformat()} {plain(session.path.name)}"
    return NWBFile(
        session_description=f"Intracellular recording on {_rig(metadata)} with {_PROGRAM}, and what was inferred.",
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, origin)),
        session_start_time=start,
        subject=_subject(metadata),
        was_generated_by=[[_PROGRAM, plain(session.software).removeprefix(_PROGRAM).strip() or "unknown version"]],
        **texts,
        **lists,
    )


def pipette(file: NWBFile, session: KeptSession) -> Any:
    """Add the device and the electrode.

    Args:
        file: To which.
        session: The recording.

    Returns:
        The `IntracellularElectrode`; where no cell was named, its cell is named after the recording.
    """
    metadata = session.metadata
    rig = _rig(metadata)
    given = metadata.get("rig")
    maker = plain(given["manufacturer"]) if isinstance(given, Mapping) and given.get("manufacturer") else "unknown"
    model = DeviceModel(name=f"{rig} model", manufacturer=maker, description=f"Kind of the rig: {rig}.")
    file.add_device_model(model)
    device = Device(name=rig, description=f"Amplifier and digitizer that {_PROGRAM} knows as '{rig}'.", model=model)
    file.add_device(device)
    return file.create_icephys_electrode(
        name="electrode",
        description=f"Patch pipette on {rig}, one electrode for recording and stimulation.",
        device=device,
        cell_id=_cell(metadata) or plain(session.path.stem),
        filtering=filtering(session.sweeps),
    )


def _rig(metadata: Mapping[str, Any]) -> str:
    """Name the rig, without the characters that separate names in HDF5."""
    given = metadata.get("rig")
    if isinstance(given, Mapping):
        given = given.get("kind") or given.get("name")
    return re.sub(r"[/:]", "-", plain(given)) if given else "a rig"


def _cell(metadata: Mapping[str, Any]) -> str:
    given = metadata.get("cell")
    if isinstance(given, Mapping):
        given = given.get("cell_id") or given.get("id") or given.get("name")
    return plain(given) if given else ""


def _texts(value: object) -> list[str]:
    """Read one text or a list of texts."""
    items = value if isinstance(value, list) else [value]
    return [plain(item) for item in items if isinstance(item, str) and item]


def _subject(metadata: Mapping[str, Any]) -> Subject:
    """Describe the subject in the forms that NWB has for what is unknown; what does not fit them is told as it is."""
    given = metadata.get("subject")
    said: dict[str, str] = {}
    if isinstance(given, Mapping):
        said = {str(key): plain(value) for key, value in given.items() if value is not None and plain(value)}
    elif given:
        said = {"subject_id": plain(given)}
    fields = {
        "subject_id": (said.get("subject_id") or said.get("id") or "unknown").replace("/", "-"),
        "sex": _fitting(said, "sex", re.compile("[MFOU]")) or "U",
        "species": _fitting(said, "species", _SPECIES) or _ANY_LIFE,
        # A range without an upper bound: NWB's way to say that the age is not known.
        "age": _fitting(said, "age", _DURATION) or "P0D/",
    }
    if _fitting(said, "weight", _WEIGHT):
        fields["weight"] = said["weight"]
    fields |= {key: said[key] for key in ("genotype", "strain") if key in said}
    told = [f"{key}: {value}" for key, value in said.items() if value not in fields.values()]
    unknown = [key for key in ("subject_id", "sex", "species", "age") if fields[key] != said.get(key)]
    if unknown:
        told.append(f"not known in the form that NWB asks for: {', '.join(unknown)}")
    return Subject(description="; ".join(told) or "As given by the experimenter.", **fields)


def _fitting(said: Mapping[str, str], key: str, form: re.Pattern[str]) -> str:
    value = said.get(key, "")
    return value if form.fullmatch(value) else ""
