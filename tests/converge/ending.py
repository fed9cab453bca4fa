"""What must hold when everything was delivered: both in step, nothing doubled, nothing lost that nobody deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from filesync.ledger.journal import Queued
from filesync.model.change import Change, Create, Delete, Set
from filesync.model.ids import Gid, Kind
from filesync.model.links import link_end
from filesync.model.shadow import Life
from filesync.model.values import Value, split_name
from filesync.rules.contract import VISIBLE_TO, Flow
from filesync.rules.mapping import Rules
from tests.converge import agreeing, by_hand, carrier
from tests.converge.kept import Held
from tests.converge.looking import Shown, look
from tests.converge.narrowed import Narrowed, alike, check_silence
from tests.converge.people import SHARED, Person, Story
from tests.converge.variants import SHOWN_IN, SHOWN_IN_JIRA, Variant
from tests.support.jira_sides import SURE, JiraSide
from tests.support.two_sites import EXCHANGE, Side, World

DRIFTS = frozenset({"environment"})  # each side may show its own
_ROUNDS = 40


def settle(world: World, people: dict[str, Person], story: Story) -> None:
    """Nothing is refused any more, everything comes, and people decide what is still stuck, until nothing moves."""
    for side in world.sides:
        side.faults.refuse = lambda _call, _what: None
        side.faults.strike = lambda _place: None
        if isinstance(side, JiraSide):
            side.jira.faults.index_lag = 0
        carrier.bring(carrier.archived(world, to=side)[-3:], to=side)
    jira = any(isinstance(side, JiraSide) for side in world.sides)
    quiet = 0
    for _ in range(_ROUNDS):
        if jira:
            world.clock.advance(minutes=5)
        moved = False
        for side in world.sides:
            moved |= _share(people[side.name]) | by_hand.unsaid(side)
            moved |= _decide(side, story)
            missing = [file for file in carrier.archived(world, to=side) if not has(side, file.name)]
            carrier.bring(missing, to=side)
            moved |= bool(missing)
        quiet = 0 if world.round() or moved else quiet + 1
        if quiet == (SURE if jira else 1):
            return
    raise AssertionError(f"still moving after {_ROUNDS} rounds")


def _share(person: Person) -> bool:
    """Where there is a scope, every issue is brought into it."""
    if "scope" not in person.side.config.tracker.settings:
        return False
    outside = [one for one in person.issues() if SHARED not in one.fields]
    for one in outside:
        person.give(person.gid(one), SHARED, True)
    return bool(outside)


def _decide(side: Side, story: Story) -> bool:
    """Stuck changes are tried again; what the tracker itself refuses is skipped, one at a time."""
    if agreeing.open_at(side) is not None:
        agreeing.answering(side, 0)
        return True
    if not side.stuck():
        return False
    side.retry()
    left = side.stuck()
    if left:
        skip(side, left[0], story)
    return True


def skip(side: Side, stuck: Queued, story: Story) -> None:
    """A person decides that what stands here stays; of a one-way field until its source edits it again."""
    change = msgspec.json.decode(stuck.change, type=Change)
    if isinstance(change, Set):
        paired, kind = side.site.paired(EXCHANGE), Kind(change.gid.split("/")[1])
        taken = {name for name in change.fields if paired.flow(kind, name) in {Flow.WE_TAKE_DRIFT, Flow.WE_TAKE_GUARD}}
        taken |= {name for name in change.fields if split_name(name)[0] in paired.rules.penned}
        story.skipped |= {(change.gid, name) for name in taken}
    if isinstance(change, Create | Delete) or (isinstance(change, Set) and VISIBLE_TO in change.names):
        story.parted[side.name].add(change.gid)
    side.skip(stuck.mark)


def has(side: Side, name: str) -> bool:
    """Whether this bundle has been taken here."""
    with side.site.ledger.begin() as conn:
        file = (name.removesuffix(".age"),)
        found = [conn.exec_driver_sql(f"select 1 from {table} where file = ?", file) for table in ("bundle_in", "chunk_in")]
        return any(one.first() is not None for one in found)


def check(world: World, people: dict[str, Person], story: Story, variant: Variant) -> dict[str, int]:
    """All of it. Raises AssertionError. Returns how often what `Held` counts came to pass."""
    for side in world.sides:
        assert side.queued() == [], f"{side.name} still waits for something"
        assert side.doubts() == {}, f"{side.name} has doubts"
        side.faults.forbid_writes = True
    here, there = (look(people[side.name]) for side in world.sides)
    assert world.round() == 0, "one more round sends something"
    assert (look(people["acme"]), look(people["globex"])) == (here, there), "one more round writes something"
    known = [side.site.paired(EXCHANGE).rules for side in world.sides]
    said = agreeing.said_now(world.acme, variant.said)
    jira = here.is_jira or there.is_jira
    shown_in = {side.name: SHOWN_IN_JIRA if jira else SHOWN_IN[side.name] for side in world.sides}
    ours, theirs = (Held(*both, said, story, shown_in[both[0].side]) for both in ((here, there), (there, here)))
    equal((ours, theirs), story, variant.rules, known)
    for side, one, held in zip(world.sides, known, (ours, theirs), strict=True):
        check_silence(side.name, one, held.ours.rows)
        _once(held.ours, story)
        held.check(side)
    _nobody_left(world)
    return {what: ours.seen.get(what, 0) + theirs.seen.get(what, 0) for what in {**ours.seen, **theirs.seen}}


def _apart(shown: Shown) -> set[Gid]:
    return {gid for gid, row in shown.rows.items() if row.state is Life.APART}


def equal(
    held: tuple[Held, Held], story: Story, narrowed: Narrowed, rules: list[Rules], *, may: Collection[tuple[Gid, str]] = ()
) -> None:
    """Both show the same; of the fields in `may` each shows its own."""
    here, there = (one.ours for one in held)
    apart = _apart(here) | _apart(there)
    compared = {
        one.ours.side: {
            gid for gid, issue in one.ours.issue_of.items() if gid not in apart and issue not in apart and one.travels(gid)
        }
        for one in held
    }
    assert compared[here.side] == compared[there.side], "one shows what the other does not"
    for gid in compared[here.side]:
        ours, theirs = here.fields[gid], there.fields[gid]
        left_out = DRIFTS | ({"parent"} if {ours.get("parent"), theirs.get("parent")} & apart else set())
        differ = {
            name: (ours.get(name), theirs.get(name))
            for name in {**ours, **theirs}
            if _trimmed(ours.get(name)) != _trimmed(theirs.get(name))
            and name not in left_out
            and link_end(name) not in apart
            and (gid, name) not in story.skipped
            and not any(one.bent(gid, name) for one in held)
            and (gid, name) not in may
            and narrowed.compares(name, ours)
            and not (name == "priority" and _lands(rules, name, ours.get(name), theirs.get(name)))
        }
        assert not differ, f"{gid} differs: {differ}"


def _lands(rules: list[Rules], name: str, ours: Value | None, theirs: Value | None) -> bool:
    """Whether one of them is what the other comes to there."""
    return alike(rules[0], name, ours, theirs) or alike(rules[1], name, theirs, ours)


def _trimmed(value: Value | None) -> Value | None:
    """Without the blanks that one of the trackers does not keep."""
    return value.rstrip() if isinstance(value, str) else value


def _nobody_left(world: World) -> None:
    """All are in the scope at the end, and neither ledger nor people are told of one that left."""
    for side in world.sides:
        x = side.exchange().id
        with side.site.ledger.begin() as conn:
            gone = set(conn.exec_driver_sql("select gid from entity where exchange = ? and state <> 'live'", (x,)).scalars())
            outside = set(conn.exec_driver_sql("select gid from outside where exchange = ?", (x,)).scalars())
        assert outside <= gone, f"{side.name} still takes {outside - gone} for outside"


def _once(shown: Shown, story: Story) -> None:
    """Nothing is doubled: what a person wrote once stands once."""
    said = {gid: fields.get("summary") or fields.get("body") or fields.get("name") for gid, fields in shown.fields.items()}
    silent = [gid for gid, text in said.items() if text is None and shown.fields[gid]]
    assert all("/worklog/" in gid for gid in silent), f"{shown.side} shows nothing of {silent}"  # where a text was skipped
    texts = [str(text).split(":")[0] for text in said.values() if text is not None]
    doubled = [text for text, count in Counter(texts).items() if count > 1]
    assert not doubled, f"{shown.side} shows {doubled} twice"
    for gid, text in said.items():
        assert text is None or str(text).startswith(story.words[gid]), f"{shown.side} shows {text!r} as {gid}"
