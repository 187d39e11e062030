"""A fit whose process is killed, by the system's own SIGKILL and in the middle of an epoch, not by an exception."""

import subprocess
import sys

import pytest
import torch

from estimators.fitting import fit
from estimators.prior import Prior

FIT = """
import sys
import torch
from estimators.fitting import fit
from estimators.prior import Prior

# As many as here: the last bits of a sum depend on it.
torch.set_num_threads(1)
prior = Prior.uniform([0.0, 2.0], [1.0, 5.0])
generator = torch.Generator().manual_seed(3)
theta = prior.sample(400, generator)
x = theta + 0.3 * torch.randn(400, 2, generator=generator, dtype=torch.float64)
clip, steps = torch.nn.utils.clip_grad_norm_, 0

def held(*arguments):
    global steps
    steps += 1
    # Ten steps an epoch: this is in the middle of the fourth.
    if steps == 42:
        print("held", flush=True)
        sys.stdin.readline()
    return clip(*arguments)

torch.nn.utils.clip_grad_norm_ = held
fit(theta, x, prior, heads=["coupling"], ensemble=2, epochs=4, width=16, batch=32, seed=5,
    bookmark=sys.argv[1], progress=lambda now: print(now.training, now.epoch, flush=True))
"""


def again(progress=None, bookmark=None):
    prior = Prior.uniform([0.0, 2.0], [1.0, 5.0])
    generator = torch.Generator().manual_seed(3)
    theta = prior.sample(400, generator)
    x = theta + 0.3 * torch.randn(400, 2, generator=generator, dtype=torch.float64)
    how = {"heads": ["coupling"], "ensemble": 2, "epochs": 4, "width": 16, "batch": 32, "seed": 5}
    estimator = fit(theta, x, prior, progress=progress, bookmark=bookmark, **how)
    return estimator.log_prob(theta[:20], x[:20])


@pytest.fixture
def killed(tmp_path):
    """The bookmark of a fit that was killed in the fourth epoch of its first network."""
    path = tmp_path / "bookmark"
    with subprocess.Popen(
        [sys.executable, "-c", FIT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        told = [process.stdout.readline() for _ in range(4)]
        process.kill()
    assert told == ["0 1\n", "0 2\n", "0 3\n", "held\n"]
    assert process.returncode != 0
    return path


@pytest.mark.long
def test_a_fit_whose_process_is_killed_goes_on_and_ends_where_an_undisturbed_one_does(killed):
    told = []
    resumed = again(told.append, killed)
    assert [(now.training, now.epoch) for now in told] == [(0, 4), (1, 1), (1, 2), (1, 3), (1, 4)]
    assert torch.equal(resumed, again())
