"""Short words for what faults are tried on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from filesync.agent.events import Event
from filesync.agent.incoming.importer import Imports
from filesync.cli.main import run
from tests.support.two_sites import Side, World

ESCAPE = "\x1b[31mred\x1b]0;title\x07\u202e"  # what a partner may write to take over a terminal


def sentences(done: Imports) -> list[str]:
    return [event.sentence() for event in done.events]


def only(done: Imports, kind: type[Event]) -> str:
    """The sentence of the one event of this kind."""
    (event,) = [one for one in done.events if isinstance(one, kind)]
    return event.sentence()


def inbox(side: Side) -> list[Path]:
    return sorted(side.config.folders.inbox.glob("[!.]*"))


def quarantined(side: Side) -> list[Path]:
    return sorted(side.config.folders.quarantine.glob("*.bundle"))


def sent(world: World, summaries: Iterable[str]) -> list[Path]:
    """One bundle of acme's a summary, taken out of the outbox into a folder of the carrier's."""
    bag = world.acme.folder.parent / "carrier"
    bag.mkdir(exist_ok=True)
    files = []
    for summary in summaries:
        world.acme.desk.create("Bug", summary)
        world.acme.export()
        (file,) = world.acme.config.folders.outbox.iterdir()
        files.append(file.rename(bag / file.name))
    return files


def deliver(side: Side, *files: Path) -> None:
    """Into the inbox, as copies."""
    for file in files:
        (side.config.folders.inbox / file.name).write_bytes(file.read_bytes())


def put(side: Side, name: str, content: bytes) -> Path:
    path = side.config.folders.inbox / name
    path.write_bytes(content)
    return path


def summaries(side: Side) -> set[object]:
    return {one.fields["summary"] for one in side.desk.list()}


def change_settings(side: Side, **settings: str) -> None:
    """Lines of filesync.yaml, by the setting's name."""
    path = side.folder / "filesync.yaml"
    lines = path.read_text().splitlines()
    for name, value in settings.items():
        (number,) = [n for n, line in enumerate(lines) if line.strip().startswith(f"{name}:")]
        indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
        lines[number] = f"{indent}{name}: {value}"
    path.write_text("\n".join(lines) + "\n")
    side.reopen()


class Terminal:
    """The command line of a site, as a person has it."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, side: Side, *words: str) -> tuple[int, str, str]:
        """The status, and what it printed on stdout and stderr."""
        with _closed(side):
            self._capsys.readouterr()
            status = run(["-c", str(side.config.path), *words])
            out, err = self._capsys.readouterr()
        return status, out, err


@contextmanager
def _closed(side: Side) -> Iterator[None]:
    side.site.close()
    try:
        yield
    finally:
        side.reopen()
