"""Issues that cannot be read by themselves, though others can: noted, so that they hold up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from filesync.errors import Unavailable, Unreadable

_FAILING: Final = 3  # at which Jira fails: each costs patience, and where there are more it is not about them


class Unread(dict[str, Unreadable]):
    """Issues by id, and why each cannot be read. `see`: raises Unavailable where Jira does not answer at all."""

    def __init__(self, see: Callable[[], object]) -> None:
        super().__init__()
        self._see = see

    @contextmanager
    def noting(self, local: str) -> Iterator[None]:
        """Around the reading of one issue. Raises Unavailable where that is not about this issue."""
        try:
            yield
        except Unreadable as error:
            self[local] = error
        except Unavailable as error:
            if len(self) >= _FAILING:
                raise
            self._see()
            self[local] = Unreadable(str(error), hint=error.hint)

    def tell(self) -> None:
        """Raise why the first of them cannot be read."""
        for error in self.values():
            raise error
