"""Who a tracker's users are, for rules that go by names or addresses."""

from __future__ import annotations

from typing import Final, Protocol


class People(Protocol):
    """The users of one tracker, by the names that its fields hold. Each method raises Unavailable."""

    def knows(self, user: str) -> bool:
        """Whether there is a user of this name."""
        ...

    def address(self, user: str) -> str:
        """The user's e-mail address in lower case; "" where the tracker shows us none."""
        ...

    def at(self, address: str) -> tuple[str, ...]:
        """The users who are shown to have this address, given in lower case."""
        ...


class _Anybody:
    """Whoever is named is there, and has no address: where no tracker is asked."""

    def knows(self, user: str) -> bool:  # noqa: ARG002 - as People has it
        return True

    def address(self, user: str) -> str:  # noqa: ARG002 - as People has it
        return ""

    def at(self, address: str) -> tuple[str, ...]:  # noqa: ARG002 - as People has it
        return ()


ANYBODY: Final[People] = _Anybody()
