"""A site that mails, and what its passes come to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from filesync.agent.events import Event
from filesync.agent.running.loop import Loop, Outcome
from filesync.agent.running.schedule import Every
from tests.loop.play import Play
from tests.mail.office import HERE, Office
from tests.support.two_sites import Side, World

EVERY: Final = Every(dt.timedelta(minutes=5))


def told_to_mail(side: Side, office: Office, more: str = "") -> None:
    """Write `mail` into its configuration, and open it again."""
    path = side.config.path
    text = path.read_text().partition("\nmail:")[0]
    path.write_text(
        f"{text}\nmail:\n  server: {HERE}\n  port: {office.port}\n  security: none\n"
        f"  from: filesync@globex.example\n  to: [anna@globex.example]\n{more}"
    )
    side.reopen()


@dataclass
class Mailed:
    """globex: each `once` is an import and an export, as `run --once` does them, and what comes of it goes to the server."""

    world: World
    office: Office
    told: list[Event] = field(default_factory=list)

    @property
    def side(self) -> Side:
        return self.world.globex

    def once(self) -> list[str]:
        """The subjects of the letters that this brought."""
        before = len(self.office.letters)
        play = Play(self.world.clock, [])
        Loop(self.side.site, schedule=EVERY, around=play.around()).once(Outcome())
        self.told = [event for _, event in play.told]
        return self.office.subjects()[before:]

    def text(self) -> str:
        """What the last letter says."""
        return self.office.texts()[-1]
