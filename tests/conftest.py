"""What all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings."""
    folder = Path(os.environ.get("RIG_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"Real recordings are neither in {folder} nor in the folder named by RIG_DATA.")
    return folder.resolve()
