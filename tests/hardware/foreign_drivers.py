"""Drivers of others: the packages in tests/third_party, and the one that docs/driver.md has word by word."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "driver.md"
# A file on the page: its name at the beginning of a paragraph, and the block after that.
BLOCK = re.compile(r"^`([\w.]+)`[^`]*(?:`[^`\n]+`[^`]*)*?\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sources():
    """Each package as {file: text}."""
    folders = sorted(path.parent for path in (ROOT / "tests" / "third_party").glob("*/pyproject.toml"))
    packages = [{path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.*")} for folder in folders]
    return [*packages, dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))]


def declared():
    """By the name of each rig the text of the rig file that stands beside its package."""
    files = {}
    for package in sources():
        project = tomllib.loads(package["pyproject.toml"])["project"]
        files |= dict.fromkeys(project["entry-points"]["rig_plugin.rigs"], package["RIG.toml"])
    return files


def install(folder):
    """Install them all into a folder as pip does, without asking anybody elsewhere."""
    places = []
    for k, package in enumerate(sources()):
        # A build leaves traces where the sources are.
        place = folder.with_name(f"{folder.name}-sources") / str(k)
        place.mkdir(parents=True)
        for name, text in package.items():
            (place / name).write_text(text, encoding="utf-8")
        places.append(place)
    alone = ("--isolated", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    subprocess.run([sys.executable, "-m", "pip", "install", *alone, "--target", folder, *places], check=True)
    shutil.rmtree(places[0].parent)
