"""This file is the catalogue: every task by its name, the quick ones first."""

from __future__ import annotations

from types import MappingProxyType

from rig_plugin.tasks.bernoulli_glm import BERNOULLI_GLM
from rig_plugin.tasks.gaussian import LINEAR, LINEAR_UNIFORM, MIXTURE
from rig_plugin.tasks.lotka_volterra import LOTKA_VOLTERRA
from rig_plugin.tasks.sir import SIR
from rig_plugin.tasks.slcp import SLCP, SLCP_DISTRACTORS
from rig_plugin.tasks.task import Task
from rig_plugin.tasks.two_moons import TWO_MOONS
from simulators.refusal import Refusal

__all__ = ["ALL", "TASKS", "chosen"]

ALL = "all"

TASKS = MappingProxyType(
    {
        task.name: task
        for task in (
            TWO_MOONS,
            MIXTURE,
            SIR,
            LOTKA_VOLTERRA,
            SLCP,
            SLCP_DISTRACTORS,
            LINEAR,
            LINEAR_UNIFORM,
            BERNOULLI_GLM,
        )
    }
)


def chosen(name: str) -> tuple[Task, ...]:
    """Find tasks.

    Args:
        name: Of one, or "all".

    Returns:
        That one, or all.

    Raises:
        Refusal: If there is none of that name.
    """
    if name == ALL:
        return tuple(TASKS.values())
    if name not in TASKS:
        raise Refusal(f"There is no task '{name}': there are {', '.join(TASKS)} and {ALL}.")
    return (TASKS[name],)
