"""One export or import of every exchange of the site: one that fails does not hold up the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from filesync.agent.events import Event
from filesync.agent.site import Site
from filesync.cli.app import App
from filesync.errors import ExitCode, FilesyncError, PairingError, StorageFailure
from filesync.ledger import streams
from filesync.ledger.streams import Direction, State

Done = TypeVar("Done")


class Results(Generic[Done]):
    """What each exchange came to."""

    def __init__(self) -> None:
        self.done: dict[str, Done] = {}
        self.failed: dict[str, FilesyncError] = {}

    def status(self, otherwise: ExitCode) -> ExitCode:
        """That of the first failure, else the one given."""
        return next((error.exit_code for error in self.failed.values()), otherwise)


def each_exchange(app: App, work: Callable[[Site, str], Done], *, without: Direction | None = None) -> Results[Done]:
    """Do the work for every paired exchange, but for those of one direction. Failures are told as they happen.

    Raises what opening the site raises, PairingError where nothing is paired, and StorageFailure: a disk that failed is
    written to no more.
    """
    results = Results[Done]()
    with app.site() as site:
        with site.ledger.begin() as conn:
            paired = [one for one in streams.exchanges(conn) if one.state is not State.OFFERED]
        if not paired:
            raise PairingError(
                "paired with nobody yet, so there is nobody to exchange with",
                hint="Give the partner what `filesync pair export` prints, and accept theirs: filesync pair accept FILE",
            )
        for one in paired:
            if one.direction is without:
                continue
            try:
                results.done[one.name] = work(site, one.name)
            except StorageFailure:
                raise
            except FilesyncError as error:
                results.failed[one.name] = error
                app.tell_error(error)
    return results


def event_documents(events: tuple[Event, ...]) -> list[dict[str, Any]]:
    """Events for JSON, each with its sentence."""
    return [{"severity": event.severity.value, "sentence": event.sentence(), **msgspec.to_builtins(event)} for event in events]
