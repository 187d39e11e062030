"""This file is the history: what was chosen before, and can be chosen again by undoing."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["History"]

T = TypeVar("T")
_LONGEST = 100


class History(Generic[T]):
    """States one after another, of which one holds now.

    Args:
        state: The first.

    Example:
        >>> history = History("dark")
        >>> history.take("light")
        True
        >>> history.undo(), history.undo(), history.redo()
        ('dark', None, 'light')
    """

    def __init__(self, state: T) -> None:
        self._states = [state]
        self._place = 0

    @property
    def now(self) -> T:
        """The state that holds."""
        return self._states[self._place]

    @property
    def can_undo(self) -> bool:
        """Whether there is one before."""
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is one that was undone."""
        return self._place + 1 < len(self._states)

    def take(self, state: T) -> bool:
        """Go on to another state; what was undone is forgotten.

        Args:
            state: Which.

        Returns:
            Whether it is another one.
        """
        if state == self.now:
            return False
        self._states = [*self._states[: self._place + 1], state][-_LONGEST:]
        self._place = len(self._states) - 1
        return True

    def amend(self, state: T) -> None:
        """Put a state in the place of the one that holds, with nothing to undo.

        Args:
            state: Which.
        """
        self._states[self._place] = state

    def undo(self) -> T | None:
        """Go back.

        Returns:
            The state before, or None where there is none.
        """
        if not self.can_undo:
            return None
        self._place -= 1
        return self.now

    def redo(self) -> T | None:
        """Go forward again.

        Returns:
            The state that was undone, or None where there is none.
        """
        if not self.can_redo:
            return None
        self._place += 1
        return self.now
