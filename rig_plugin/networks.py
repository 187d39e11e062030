"""This file is the networks: which of them a user can choose, and whether each fits what lies on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from estimators.pretrained import SHIPPED, shipped
from estimators.title import CheckpointError, Title, read_title
from rig_plugin.preparation import Preparation
from rig_plugin.settings import Settings
from rig_plugin.unread import unread

__all__ = ["Network", "fit", "own", "there"]

_SUFFIX = "*.h5"


@dataclass(frozen=True, eq=False)
class Network:
    """One that could be chosen.

    Args:
        path: The checkpoint.
        title: What stands on it, or None where it can't be read.
        refusal: Why it can't be used here, as a sentence, or None where it can.
    """

    path: Path
    title: Title | None
    refusal: str | None = None

    @property
    def name(self) -> str:
        """As it calls itself, or its file where it can't."""
        return self.title.spec.name if self.title is not None else self.path.name

    @property
    def label(self) -> str:
        """As it is told from the others: each made of one spec calls itself alike, so its file is named too."""
        if self.title is None or self.path.stem == self.name:
            return self.name
        return f"{self.path.stem} ({self.name})"


def own() -> Path:
    """Tell where the user's own networks are kept.

    Returns:
        A folder, which may not be there yet.
    """
    return user_data_path("rig-plugin") / "networks"


def there(preparation: Preparation, further: Sequence[Path] = ()) -> tuple[Network, ...]:
    """Find those that ship, the user's own, and what was opened besides.

    Args:
        preparation: What they would read.
        further: Other checkpoints.

    Returns:
        Each once, those that ship first; one that can't be used has its reason.
    """
    ships = [path for path in map(shipped, SHIPPED) if path is not None]
    folder = own()
    kept = sorted(folder.glob(_SUFFIX)) if folder.is_dir() else []
    return tuple(_judged(path, preparation) for path in dict.fromkeys([*ships, *kept, *further]))


def fit(title: Title, preparation: Preparation) -> str | None:
    """Judge whether a network was trained for what is played here.

    Args:
        title: Of the network.
        preparation: What it would read.

    Returns:
        Why not, as a sentence; None where it fits, where membrane tests ask no network, or where a recording will
            tell that sweep by sweep.
    """
    settings = preparation.settings
    if not isinstance(settings, Settings) or preparation.clamp is not None:
        return None
    model, process = settings.cell.model, title.spec.process.name
    if settings.rig.kind == "model-cell" and model is not None and model != process:
        return f"The simulated cell is one of '{model}' and this network reads '{process}': choose one of the same."
    if settings.protocol.gap_free:
        return None
    refusals = unread(settings.protocol.stimuli(), title.domain, settings.rig.rate)
    return refusals[0] if None not in refusals else None


def _judged(path: Path, preparation: Preparation) -> Network:
    try:
        title = read_title(path)
    except CheckpointError as refusal:
        return Network(path, None, str(refusal))
    except OSError as error:
        reason = error.strerror or str(error)
        return Network(path, None, f"{path} can't be opened ({reason}): mend its rights or copy it elsewhere.")
    return Network(path, title, fit(title, preparation))
