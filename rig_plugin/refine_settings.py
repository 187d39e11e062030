"""This file is the refine settings: when a posterior is refined for the cell, beside the answer in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from rig_plugin.toml_table import key

__all__ = ["RefineSettings"]


@dataclass(frozen=True)
class RefineSettings:
    """Table [refine]: when the worker of low priority refines the posterior; somebody can always ask for it.

    Args:
        after: Once the session is over ("stop"), after each "sweep", or "never" by itself. Where the posterior chooses
            the stimuli, whose choice must not wait, "sweep" means "stop".
    """

    after: str = key("never", "after", one_of=("stop", "sweep", "never"))

    def within(self, chosen_by: str) -> str:
        """Tell when it is done in a session.

        Args:
            chosen_by: Who chooses the stimuli, as [protocol] has it.

        Returns:
            One of the three words.

        Example:
            >>> RefineSettings("sweep").within("family"), RefineSettings("sweep").within("automatic")
            ('sweep', 'stop')
        """
        return "stop" if self.after == "sweep" and chosen_by != "family" else self.after
