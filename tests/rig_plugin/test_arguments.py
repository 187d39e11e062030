from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from estimators.pretrained import SHIPPED, shipped
from rig_plugin.commands.arguments import a_network


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What a command makes of its network."""
    monkeypatch.chdir(tmp_path)

    @click.command()
    @click.argument("network", type=a_network)
    def command(network):
        click.echo(repr(network))

    return lambda value: CliRunner().invoke(command, [value]).output


@pytest.mark.parametrize("name", SHIPPED)
def test_a_network_that_ships_goes_by_its_name(said, name):
    assert said(name) == f"{shipped(name)!r}\n"


def test_a_file_goes_before_a_network_that_ships(said, tmp_path):
    (tmp_path / SHIPPED[0]).write_bytes(b"")
    assert said(SHIPPED[0]) == f"{Path(SHIPPED[0])!r}\n"


def test_what_is_neither_is_refused_with_what_there_is(said):
    assert "another is no file, a checkpoint, cortical-steps, patchseq-13 or cortical-tracking was wanted." in said(
        "another"
    )
