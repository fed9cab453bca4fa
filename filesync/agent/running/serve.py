"""A run as a whole: the site is opened, worked on, and opened again when the files that it is made of changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from filesync.agent.events import Event
from filesync.agent.running import news
from filesync.agent.running.loop import Around, Loop, Outcome
from filesync.agent.running.schedule import Schedule
from filesync.agent.running.service import Bell, Manager
from filesync.agent.running.watch import Files, watching
from filesync.agent.site import Site
from filesync.config import load_config
from filesync.ledger import streams


def serve(path: Path, *, schedule: Schedule, around: Around, bell: Bell, manager: Manager) -> None:
    """Work until asked to stop. Raises what opening the site raises, PairingError, StorageFailure."""
    while not around.stopping():
        files = Files(path, around.monotonic)
        with Site.open(files.config) as site:
            loop = Loop(site, schedule=schedule, around=_with_manager(around, bell, manager))

            def tell(event: Event, loop: Loop = loop) -> None:
                loop.say("", event)

            def changed(loop: Loop = loop, files: Files = files, tell: Callable[[Event], None] = tell) -> bool:
                return files.changed(loop.exchanges, tell)

            with site.ledger.begin() as conn:
                inboxes = [site.inbox(one) for one in streams.exchanges(conn) if one.name in loop.exchanges]
            with watching(inboxes, bell.ring, tell):
                manager.tell("READY=1")
                loop.run(changed=changed)
            if around.stopping():
                manager.tell("STOPPING=1")
                tell(news.Ended())


def serve_once(path: Path, *, schedule: Schedule, around: Around) -> Outcome:
    """One import and one export of every exchange. Raises what opening the site raises, PairingError, StorageFailure."""
    with Site.open(load_config(path)) as site:
        return Loop(site, schedule=schedule, around=around).once()


def _with_manager(around: Around, bell: Bell, manager: Manager) -> Around:
    """Waits that end early enough to tell the manager that all is well."""

    def wait(seconds: float) -> None:
        bell.wait(seconds if manager.beat is None else min(seconds, manager.beat))

    return replace(around, wait=wait, alive=manager.alive)
