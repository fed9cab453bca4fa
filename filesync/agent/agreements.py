"""What people decided about exchanges, as values (agent/events.py)."""

from __future__ import annotations

from filesync.agent.events import Event, count_text


class ExchangePaused(Event, frozen=True, kw_only=True):
    """A person wants nothing done on an exchange for now."""

    name: str
    partner: str
    reason: str

    def sentence(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"exchange {self.name} with {self.partner} is paused{why}: nothing is sent or applied on it, and what arrives "
            f"stays in the inbox. Go on with: filesync resume --exchange {self.name}"
        )


class ExchangeResumed(Event, frozen=True, kw_only=True):
    """A paused exchange goes on."""

    name: str
    partner: str
    since: str

    def sentence(self) -> str:
        return f"exchange {self.name} with {self.partner} goes on; it was paused since {self.since}"


class ExchangeEnded(Event, frozen=True, kw_only=True):
    """An exchange is no more."""

    name: str
    partner: str
    undelivered: int

    def sentence(self) -> str:
        lost = f" {count_text(self.undelivered, 'bundle')} had not been acknowledged." if self.undelivered else ""
        return (
            f"exchange {self.name} with {self.partner} is ended: nothing is sent or taken on it any more.{lost} Both "
            f"trackers keep what they have. {self.partner} is not told by this; what it still sends stays in the inbox"
        )
