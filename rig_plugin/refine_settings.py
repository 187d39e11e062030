"""This file is the refine settings: when a posterior is refined for the cell, beside the answer in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from rig_plugin.toml_table import key

__all__ = ["RefineSettings"]


@dataclass(frozen=True)
class RefineSettings:
    """Table [refine]: when, in the window, the worker of low priority refines the posterior beside what it is asked.

    Args:
        after: Once the session is over ("stop"), after each "sweep", or "never" by itself. Where the posterior or a
            script chooses the stimuli, and a choice must not wait, "sweep" means "stop".
    """

    after: str = key("never", "after", one_of=("stop", "sweep", "never"))

    def within(self, chosen_by: str) -> str:
        """Tell when it is done in a session.

        Args:
            chosen_by: Who chooses the stimuli, as [protocol] has it, or "script".

        Returns:
            One of the three words.

        Example:
            >>> RefineSettings("sweep").within("family"), RefineSettings("sweep").within("automatic")
            ('sweep', 'stop')
        """
        return "stop" if self.after == "sweep" and chosen_by != "family" else self.after
