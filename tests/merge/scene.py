"""What the merge scenarios share: contracts, one issue on both sides, refusals and crashes at a named place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TypeVar

from filesync.agent.events import Event
from filesync.agent.incoming.importer import Imports
from filesync.errors import Unwritten
from filesync.ledger import shadows
from filesync.model.ids import Kind
from filesync.model.shadow import Entity
from filesync.trackers.base import Draft, Write
from tests.support.two_sites import Crash, Side, World

E = TypeVar("E", bound=Event)
T = TypeVar("T")

DEFAULT = (files("filesync.templates") / "contract.yaml").read_text(encoding="utf-8")


def contract(*changes: tuple[str, str]) -> str:
    """The contract that `filesync init` writes, with some of its text changed."""
    text = DEFAULT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


MIRROR = contract(("issue: mark ", "issue: mirror "))
IGNORE = contract(("issue: mark ", "issue: ignore "))
DRIFT = contract(
    ("cost_estimate: {kind: number}\n  occurred", "cost_estimate: {kind: number, from: acme, mode: drift}\n  occurred")
)
GUARD = contract(
    ("cost_estimate: {kind: number}\n  occurred", "cost_estimate: {kind: number, from: acme, mode: guard}\n  occurred")
)


def shared(world: World, summary: str = "first") -> str:
    """An issue that both sides have, under the same key."""
    key = world.acme.desk.create("Bug", summary)
    world.send(world.acme)
    assert value(world.globex, key, "summary") == summary
    return key


def value(side: Side, key: str, field: str) -> object:
    """What people see."""
    return side.desk.show(key).issue.fields.get(field)


def keys(side: Side) -> list[str]:
    return [one.key for one in side.desk.list()]


def comments(side: Side, key: str) -> list[object]:
    return [one.fields["body"] for one in side.desk.show(key).comments]


def cross(world: World, *, acme: Callable[[], object], globex: Callable[[], object]) -> tuple[Imports, Imports]:
    """Both edit and export before either hears of the other."""
    acme()
    globex()
    world.acme.export()
    world.globex.export()
    world.carry(to=world.acme)
    world.carry(to=world.globex)
    return world.acme.import_(), world.globex.import_()


def row(side: Side, key: str) -> Entity:
    """The ledger's row of an issue."""
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        found = shadows.by_local(conn, x, Kind.ISSUE, key.partition("-")[2])
    assert found is not None
    return found


def events(done: Imports, kind: type[E]) -> list[E]:
    return [event for event in done.events if isinstance(event, kind)]


def only(found: Sequence[T]) -> T:
    """The only one there is."""
    assert len(found) == 1, found
    return found[0]


def refuse(side: Side, field: str, value: object = ...) -> None:
    """Our tracker refuses this field (by its local name), or only this value of it."""

    def refused(_call: str, what: object) -> dict[str, str] | None:
        fields = what.fields if isinstance(what, Write | Draft) else {}
        wrong = field in fields and (value is ... or fields[field] == value)
        return {field: "not today"} if wrong else None

    side.faults.refuse = refused


def refuse_create(side: Side, containing: str) -> None:
    """Our tracker does not make what has this text in it."""

    def refused(call: str, what: object) -> str | None:
        fields = what.fields if isinstance(what, Draft) else {}
        return "not today" if call == "create" and containing in fields.values() else None

    side.faults.refuse = refused


def refuse_nothing(side: Side) -> None:
    side.faults.refuse = lambda _call, _what: None


@contextmanager
def crash(side: Side, place: str, nth: int = 1) -> Iterator[None]:
    """The process dies at the nth time of a place ("after apply"); afterwards the site is opened again."""
    left = nth

    def strike(now: str) -> None:
        nonlocal left
        left -= now == place
        if not left and now == place:
            raise Crash(place)

    side.faults.strike = strike
    died = False
    try:
        yield
    except Crash:
        died = True
    assert died, f"nothing came to {place}"
    side.faults.strike = lambda _place: None
    side.reopen()


def failing(place: str) -> Callable[[str], None]:
    """What a tracker does that fails at this place (Faults.strike)."""

    def strike(now: str) -> None:
        if now == place:
            raise Unwritten("the tracker fails")

    return strike


def crashes_anywhere(side: Side, nth: int, work: Callable[[], object]) -> bool:
    """Do the work, dying at the nth place of all that there are. Says whether there was such a place."""
    left = nth

    def strike(_place: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Crash

    side.faults.strike = strike
    died = False
    try:
        work()
    except Crash:
        died = True
    side.faults.strike = lambda _place: None
    if died:
        side.reopen()
    return died
