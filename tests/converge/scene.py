"""What can happen between two whole sites, each deed chosen by a word, a side and a number."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from operator import methodcaller
from pathlib import Path
from typing import Final, TypeAlias

from filesync.errors import Unavailable
from filesync.rules.mapping import Rules
from tests.converge import agreeing, by_hand, carrier, ending, faults, undecided
from tests.converge.deeds import PEOPLE, split
from tests.converge.narrowed import kept
from tests.converge.people import FIELDS, Person, Story
from tests.converge.said import SITES
from tests.converge.variants import SHOWN_IN_JIRA, Variant, variant_of
from tests.support.attachments import set_limits
from tests.support.jira.site import FLAVOURS
from tests.support.jira_sides import EMBEDDED, End, JiraSide, two_trackers
from tests.support.two_sites import EXCHANGE, Crash, Side, World, two_sites

NUMBERS: Final = 2**32  # what a deed draws from: a number below this
_SPREAD: Final = 0x9E3779B1  # odd: Hypothesis prefers small numbers, and their upper digits are choices too
LIMITS: Final = {"inline_blob": "1 KiB", "chunk": "2 KiB", "early_chunks": "8 KiB"}
NO_JIRA: Final = ("embedded", "embedded")
ENDS: Final[Mapping[str, End]] = {"embedded": EMBEDDED, **{flavour.name: flavour for flavour in FLAVOURS}}


_EXPORT, _IMPORT, _RETRY = methodcaller("export"), methodcaller("import_"), methodcaller("retry")
OWN_NAMES: Final = {"acme": {"customer_reference": "description"}}

Command: TypeAlias = Callable[[Side], object]


@dataclass
class Scene:
    """Both sites, the people at them, and what these did."""

    world: World
    variant: Variant
    one_sided: bool = False  # people edit at acme only, and globex must never answer
    hot: int = 0  # which of the fields are edited most, so that edits meet
    story: Story = field(default_factory=Story)
    people: dict[str, Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strict = any(isinstance(side, JiraSide) for side in self.world.sides)
        self.people = {
            side.name: Person(
                side,
                self.story,
                own={} if strict else OWN_NAMES.get(side.name, {}),
                source=(self.world.other(side), self.variant.said.receives_only(side.name)),
                strict=strict,
            )
            for side in self.world.sides
        }
        for side in self.world.sides:
            _use_rules(side)
            side.faults.kept = kept(side.site.paired(EXCHANGE).rules)
        self.world.acme.faults.forbid_writes = self.one_sided

    def deed(self, word: str, name: str, number: int) -> None:
        """Do it. What a tracker or filesync refuses is refused; anything else that is raised is a fault found."""
        number = number * _SPREAD % NUMBERS
        person = self.people["acme" if self.one_sided else name]
        if word == "edit":
            self.edit(person, number)
        elif word in PEOPLE:
            PEOPLE[word](person, number)
        else:
            ELSE[word](self, self.people[name].side, number)
        if self.one_sided:
            assert self.world.globex.exchange().out_seq == 0, "globex sends back what nobody there edited"

    def begin(self) -> None:
        """Two issues of each side (of acme, where only acme edits), with what belongs to them, and their way to the other."""
        for place, name in enumerate(self.people):
            self.deed("create", name, place)
            self.deed("create", name, place + 1)
            for word in ("comment", "attach", "log work") if self.variant.furnished else ():
                self.deed(word, name, place)
            self.deed("send", name, 0)

    def end(self) -> dict[str, int]:
        """Everything delivered and decided: what must hold then. Returns how often what may come to pass did."""
        undecided.decide_all(self.world, self.people, self.story, self.variant)
        return ending.check(self.world, self.people, self.story, self.variant)

    def refusing(self, side: Side, number: int, command: Command) -> None:
        """A command, while the tracker refuses some of its calls."""
        side.faults.refuse = faults.refusing(number)
        try:
            command(side)
        finally:
            side.faults.refuse = lambda _call, _what: None

    def both(self, number: int) -> None:
        """One field of one issue at both sides: to one value, or to two."""
        which, ours, theirs, first, second = split(number, 12, 3, 3, len(FIELDS), len(FIELDS))
        name = self.field(first, second)
        gid = self.people["acme"].gid_shared(which, self.people["globex"])
        self.people["acme"].edit_gid(gid, name, ours)
        if not self.one_sided:
            self.people["globex"].edit_gid(gid, name, theirs)

    def field(self, first: int, second: int) -> str:
        """A field's name out of two numbers below their count."""
        return FIELDS[(self.hot + first * second // len(FIELDS)) % len(FIELDS)]

    def edit(self, person: Person, number: int) -> None:
        """One field, or one time out of four several, of one issue."""
        which, times, value, *drawn = split(number, 12, 4, 6, *(len(FIELDS) for _ in range(4)))
        names = [self.field(drawn[0], drawn[1]), self.field(drawn[2], drawn[3]), self.field(drawn[0], drawn[3])]
        person.edit(which, {name: value + place for place, name in enumerate(names[: 1 if times else 3])})


@contextmanager
def a_scene(
    variant: str, *, one_sided: bool, hot: int = 0, ends: tuple[str, str] = NO_JIRA, base: Path | None = None
) -> Iterator[Scene]:
    """A scene with issues that both sides know. `ends`: words of ENDS. `base`: as `two_sites`."""
    if ends != NO_JIRA:
        chosen, (ours, theirs) = variant_of(variant), ends
        scope = ("labels = shared" if ENDS[ours] else chosen.scope) if chosen.scope else ""
        acme, globex = (chosen.said.own_words(site, SHOWN_IN_JIRA) for site in SITES)
        sites = two_trackers(
            (ENDS[ours], ENDS[theirs]), text=chosen.contract(), mappings=(acme, globex), scope=scope, base=base
        )
        with sites as world:
            for side in world.sides:
                set_limits(side, **LIMITS)
                if isinstance(side, JiraSide) and hot % 2:
                    side.jira.faults.harden()
            scene = Scene(world, chosen, one_sided=one_sided, hot=hot)
            scene.begin()
            yield scene
        return
    like, story = _beginning(variant, one_sided)
    with two_sites(like=like, base=base) as world:
        world.clock.advance(hours=1)
        yield Scene(world, variant_of(variant), one_sided=one_sided, hot=hot, story=deepcopy(story))


@functools.cache
def _beginning(variant: str, one_sided: bool) -> tuple[Path, Story]:
    """Two issues of each side (of acme, where only acme edits) and their way to the other, done once, to be copied."""
    chosen = variant_of(variant)
    with two_sites(contract=chosen.contract(), mappings=chosen.mappings(), scopes=(chosen.scope, "")) as world:
        for side in world.sides:
            set_limits(side, **LIMITS)
        scene = Scene(world, chosen, one_sided=one_sided)
        scene.begin()
        world.close()
        folder = Path(tempfile.mkdtemp(prefix="filesync-beginning-", dir=world.acme.folder.parent.parent))
        atexit.register(shutil.rmtree, folder)
        shutil.copytree(world.acme.folder.parent, folder, dirs_exist_ok=True)
    return folder, scene.story


_rules: Final[dict[tuple[str, str, str], Rules]] = {}


def _use_rules(side: Side) -> None:
    """Contract and mapping are the same few in thousands of runs: reading the YAML took a sixth of the time."""
    rules = side.config.rules_of(EXCHANGE)
    key = (rules.contract.read_text(), rules.mapping.read_text() if rules.mapping else "", side.name)
    if key not in _rules:
        _rules[key] = side.site.paired(EXCHANGE).rules
    side.site._rules[EXCHANGE] = _rules[key]


# ── filesync, the carrier, and what goes wrong ──────────────────────────────────────────────────────────────────────


def _send(scene: Scene, side: Side, number: int) -> None:
    """The whole way at once."""
    side.export()
    other = scene.world.other(side)
    scene.world.carry(to=other)
    scene.refusing(other, number, _IMPORT)


def _overtaken(scene: Scene, side: Side, number: int) -> None:
    """A field is edited, refused at the other side, and edited again before anybody looks at what is stuck."""
    other = scene.world.other(side)
    for refuse in (lambda _call, _what: "not today", lambda _call, _what: None):
        scene.edit(scene.people["acme" if scene.one_sided else side.name], number)
        side.export()
        scene.world.carry(to=other)
        other.faults.refuse = refuse
        try:
            other.import_()
        finally:
            other.faults.refuse = lambda _call, _what: None


def _again(scene: Scene, side: Side, number: int) -> None:
    files = carrier.archived(scene.world, to=side)
    if files:
        carrier.bring([files[number % len(files)]], to=side)


def _skip(scene: Scene, side: Side, number: int) -> None:
    stuck = [] if scene.one_sided else side.stuck()
    if stuck:
        ending.skip(side, stuck[number % len(stuck)], scene.story)


def _crash(scene: Scene, side: Side, number: int) -> None:
    """The process dies in the middle of a command, and the next one begins."""
    command, place = _command(scene, side, number)
    side.faults.strike = faults.crashing(place)
    try:
        command(side)
    except Crash:
        side.faults.strike = lambda _place: None
        side.reopen()
        _use_rules(side)
    finally:
        side.faults.strike = lambda _place: None


def _fail(scene: Scene, side: Side, number: int) -> None:
    """The tracker is down for a moment in the middle of a command."""
    command, place = _command(scene, side, number)
    side.faults.strike = faults.failing(place // 4)
    try:
        command(side)
    except Unavailable:
        pass
    finally:
        side.faults.strike = lambda _place: None


def _trouble(scene: Scene, side: Side, number: int) -> None:
    """In the middle of a command something goes wrong between filesync and the Jira of this side, or of the other."""
    at = side if isinstance(side, JiraSide) else scene.world.other(side)
    assert isinstance(at, JiraSide)
    command, _ = _command(scene, at, number)
    faults.arm(at.jira.faults, number, quiet=scene.one_sided)
    try:
        command(at)
    except Unavailable:
        pass
    finally:
        faults.mend(at.jira.faults)


def _lag(scene: Scene, side: Side, number: int) -> None:
    """From now on a Jira's search lies so far behind."""
    at = side if isinstance(side, JiraSide) else scene.world.other(side)
    assert isinstance(at, JiraSide)
    at.jira.faults.index_lag = (0, 5, 50)[number % 3]


def _command(scene: Scene, side: Side, number: int) -> tuple[Command, int]:
    """A command that has something to do, and a place in it."""
    which, place = split(number, 6, 48)
    if agreeing.open_at(side) is not None:
        return lambda at: agreeing.answering(at, number // 8), place
    if which == 0:
        return undecided.take_theirs if place % 2 and undecided.open_at(side) else _RETRY, place
    if which < 3:
        return _EXPORT, place
    other = scene.world.other(side)
    scene.edit(scene.people["acme" if scene.one_sided else other.name], number)
    other.export()
    scene.world.carry(to=side)
    return _IMPORT, place


ELSE: Final[Mapping[str, Callable[[Scene, Side, int], object]]] = {
    "meet": lambda scene, _side, number: undecided.meet(scene.people, number, one_sided=scene.one_sided),
    "both": lambda scene, _side, number: scene.both(number),
    "export": lambda _scene, side, _number: side.export(),
    "import": lambda scene, side, number: scene.refusing(side, number, _IMPORT),
    "send": _send,
    "carry": lambda scene, side, number: carrier.carry(scene.world, to=side, fates=number),
    "bring again": _again,
    "overtaken": _overtaken,
    "retry": lambda scene, side, number: scene.refusing(side, number, _RETRY),
    "skip": _skip,
    "decide": lambda scene, side, number: scene.refusing(side, number, lambda at: undecided.decide_one(at, number)),
    "crash": _crash,
    "fail": _fail,
    "jira trouble": _trouble,
    "jira lag": _lag,
    "propose": lambda _scene, side, number: agreeing.proposing(side, number),
    "answer": lambda _scene, side, number: agreeing.answering(side, number),
    "withdraw": lambda _scene, side, _number: agreeing.withdrawing(side),
    "by hand": lambda scene, side, number: by_hand.saying(scene.people[side.name], number),
    "wait": lambda scene, _side, number: scene.world.clock.advance(hours=number % 50 - 3),
}

_USUAL: Final = {
    "create": 2,
    "edit": 8,
    "undo": 2,
    "both": 4,
    "transition": 4,
    "comment": 3,
    "edit comment": 3,
    "delete comment": 1,
    "attach": 3,
    "delete attachment": 1,
    "log work": 2,
    "edit worklog": 2,
    "delete worklog": 1,
    "link": 4,
    "unlink": 2,
    "delete": 1,
    "in or out of scope": 1,
    "export": 3,
    "import": 3,
    "send": 7,
    "carry": 5,
    "bring again": 1,
    "overtaken": 1,
    "retry": 2,
    "skip": 1,
    "wait": 1,
}
# how often each deed is done, in runs of different kinds
MOODS: Final[Mapping[str, Mapping[str, int]]] = {
    "usual": {**_USUAL, "crash": 5, "fail": 3},
    "calm": _USUAL,
    "crashes": {**_USUAL, "crash": 12, "fail": 6},
    "deleting": {**_USUAL, "delete": 8, "delete comment": 5, "delete attachment": 4, "crash": 5},
    "linking": {**_USUAL, "link": 12, "unlink": 8, "delete": 3, "create": 4, "in or out of scope": 2, "crash": 4},
    "quarrel": {**_USUAL, "both": 14, "undo": 8, "transition": 8, "create": 1},
    "files": {**_USUAL, "attach": 10, "delete attachment": 4, "carry": 10, "send": 4, "crash": 5, "fail": 3},
    "refusing": {**_USUAL, "retry": 6, "skip": 5, "import": 8, "overtaken": 6},
}
AGREEING: Final = {"propose": 6, "answer": 8, "withdraw": 3, "decide": 4}  # besides, where what was agreed on changes
BY_HAND: Final = {"by hand": 8}  # besides, where people stop and start single issues
UNLIKE: Final = {  # besides, where not all is treated alike
    "comment": 2,
    "edit comment": 6,
    "delete comment": 3,
    "log work": 1,
    "edit worklog": 5,
    "delete worklog": 2,
    "delete attachment": 2,
    "delete": 2,
}
JIRA_DEEDS: Final = {"jira trouble": 6, "jira lag": 2}  # besides, where there is one
