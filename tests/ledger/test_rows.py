"""Every function of the ledger: what is written is what is read, and only for the exchange it was written for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from filesync.ledger import journal, looked_at, shadows, streams
from filesync.ledger.journal import Conflict, Entry, Queued, Wait
from filesync.ledger.ledger import Ledger
from filesync.ledger.looked_at import SeenFile
from filesync.ledger.streams import Direction, Exchange, Sent, State, Taken
from filesync.model.ids import NO_BUNDLE, BundleId, Generation, Gid, Kind, Mark, StreamId
from filesync.model.shadow import Entity, Life, Shadow, Shadows
from filesync.model.values import EMPTY

SITE = "11111111-1111-4111-8111-111111111111"
ISSUE = Gid(f"{SITE}/issue/17/1763892000000")
OTHER = Gid(f"{SITE}/issue/18/1763892000001")
COMMENT = Gid(f"{SITE}/comment/4/1763892060000")
MARK = Mark("0001.0000000002.000003")
SENT = Sent(
    generation=1, seq=1, id=BundleId("ab" * 32), file="f.tar", header=b"{}", frozen=b"z", state="frozen", changes=2, at=5
)
TAKEN = Taken(
    generation=1, seq=3, id=BundleId("cd" * 32), prev=NO_BUNDLE, file="g.tar", arrived_as="G (1).tar", contract="c0",
    state="received", changes=4, decided=b"", received=7, applied=0,
)  # fmt: skip
SEEN = SeenFile(name="x.tar", size=3, mtime_ns=4, ctime_ns=4, inode=5, sha256="ef", verdict="arriving", note="short", since=6)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sa.Connection]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with ledger.begin() as open_conn:
        yield open_conn
    ledger.close()


@pytest.fixture
def x(conn: sa.Connection) -> Exchange:
    return streams.add_exchange(conn, "main", stream=StreamId("5a" * 16), generation=Generation(1, "c0" * 16))


@pytest.fixture
def y(conn: sa.Connection, x: Exchange) -> Exchange:
    return streams.add_exchange(conn, "other", stream=StreamId("b7" * 16), generation=Generation(1, "c1" * 16))


def test_facts_of_the_site(conn: sa.Connection) -> None:
    assert streams.site_fact(conn, "site") is None
    streams.set_site_fact(conn, "site", "a")
    streams.set_site_fact(conn, "site", "b")
    assert streams.site_fact(conn, "site") == "b"


def test_a_new_exchange_is_offered_and_stands_at_nothing(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    assert (x.state, x.direction, x.out_seq, x.out_id, x.in_seq, x.in_id) == (
        State.OFFERED,
        Direction.BOTH,
        0,
        NO_BUNDLE,
        0,
        NO_BUNDLE,
    )
    assert x.out_generation == Generation(1, "c0" * 16)
    assert streams.exchanges(conn) == [x, y]
    assert streams.exchange_named(conn, "other") == y
    assert streams.exchange_named(conn, "third") is None
    with pytest.raises(sa.exc.IntegrityError):
        streams.add_exchange(conn, "main", stream=StreamId("5b" * 16), generation=Generation(1, "c2" * 16))


def test_moving_one_exchange_moves_no_other(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    streams.update_exchange(conn, x.id, out_seq=4, state=State.STOPPED, stopped_why="FORK", encrypt=False, cursor="c")
    moved = streams.exchange_of(conn, x.id)
    assert moved == replace(x, out_seq=4, state=State.STOPPED, stopped_why="FORK", encrypt=False, cursor="c")
    assert streams.exchange_of(conn, y.id) == y


def test_bundles_sent_are_unpublished_in_order_until_they_are_published(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    second = replace(SENT, seq=2, id=BundleId("ac" * 32))
    streams.add_sent(conn, x.id, second)
    streams.add_sent(conn, x.id, SENT)
    streams.add_sent(conn, y.id, SENT)
    assert streams.unpublished(conn, x.id) == [SENT, second]
    streams.update_sent(conn, x.id, SENT, state="published", header=None, frozen=None)
    assert streams.unpublished(conn, x.id) == [second]
    assert streams.sent(conn, x.id, generation=1, seq=1) == replace(SENT, state="published", header=None, frozen=None)
    assert streams.sent(conn, y.id, generation=1, seq=1) == SENT
    assert streams.sent(conn, x.id, generation=2, seq=1) is None


def test_a_number_cannot_be_given_twice(conn: sa.Connection, x: Exchange) -> None:
    streams.add_sent(conn, x.id, SENT)
    with pytest.raises(sa.exc.IntegrityError):
        streams.add_sent(conn, x.id, replace(SENT, id=BundleId("ad" * 32)))


def test_bundles_taken_are_held_in_order_until_they_are_applied(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    first = replace(TAKEN, seq=2, id=BundleId("ce" * 32))
    streams.add_taken(conn, x.id, TAKEN)
    streams.add_taken(conn, x.id, first)
    assert streams.held(conn, x.id) == [first, TAKEN]
    assert streams.held(conn, y.id) == []
    streams.update_taken(conn, x.id, first, state="applied", decided=b"\x03", applied=9)
    assert streams.held(conn, x.id) == [TAKEN]
    assert streams.taken(conn, x.id, generation=1, seq=2) == replace(first, state="applied", decided=b"\x03", applied=9)
    assert streams.taken(conn, x.id, generation=1, seq=9) is None


def test_files_of_the_inbox_are_remembered_and_forgotten_by_name(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    looked_at.remember(conn, x.id, SEEN)
    looked_at.remember(conn, x.id, replace(SEEN, verdict="received", size=8))
    looked_at.remember(conn, y.id, SEEN)
    assert looked_at.files(conn, x.id) == {"x.tar": replace(SEEN, verdict="received", size=8)}
    looked_at.forget(conn, x.id, "x.tar")
    assert looked_at.files(conn, x.id) == {}
    assert looked_at.files(conn, y.id) == {"x.tar": SEEN}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name), unique=True, max_size=4))
def test_f75_any_name_that_a_filesystem_can_hold_is_kept_apart_from_any_other(
    conn: sa.Connection, x: Exchange, raw: list[bytes]
) -> None:
    names = [one.decode("utf-8", "surrogateescape") for one in raw]
    for name in names:
        looked_at.remember(conn, x.id, replace(SEEN, name=name))
    assert set(looked_at.files(conn, x.id)) == set(names)
    for name in names:
        looked_at.forget(conn, x.id, name)
    assert looked_at.files(conn, x.id) == {}


@pytest.mark.parametrize("inode", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_file_ids_of_network_filesystems_use_all_their_bits(conn: sa.Connection, x: Exchange, inode: int) -> None:
    looked_at.remember(conn, x.id, replace(SEEN, inode=inode))
    assert looked_at.files(conn, x.id)["x.tar"].inode == inode


def test_a_plain_name_is_stored_as_it_is_so_that_people_can_read_the_ledger(conn: sa.Connection, x: Exchange) -> None:
    looked_at.remember(conn, x.id, replace(SEEN, name="fs1_5a5a5a5a_g0001_0000000417_9d2e01ab (1).tar.age"))
    assert conn.exec_driver_sql("select name from seen_file").scalar() == "fs1_5a5a5a5a_g0001_0000000417_9d2e01ab (1).tar.age"


# ── shadows, doubts, revisits ───────────────────────────────────────────────────────────────────────────────────

ROW = Entity(
    gid=ISSUE, kind=Kind.ISSUE, local="17", shadows=Shadows.of({"summary": Shadow("aa", MARK, MARK), "labels:x": Shadow("bb")})
)
CHILD = Entity(gid=COMMENT, kind=Kind.COMMENT, parent=ISSUE, local="4", shadows=Shadows.of({"body": Shadow("cc")}))


def test_entities_are_what_was_saved_last(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    shadows.save(conn, x.id, [ROW, CHILD])
    shadows.save(conn, x.id, [structs.replace(ROW, state=Life.DEAD, shadows=Shadows())])
    assert shadows.entities(conn, x.id, [ISSUE, COMMENT, OTHER, ISSUE]) == {
        ISSUE: structs.replace(ROW, state=Life.DEAD, shadows=Shadows()),
        COMMENT: CHILD,
    }
    assert shadows.entities(conn, y.id, [ISSUE]) == {}
    assert shadows.children_of(conn, x.id, [ISSUE, OTHER]) == {ISSUE: [CHILD]}


def test_thousands_are_asked_for_at_once(conn: sa.Connection, x: Exchange) -> None:
    rows = [structs.replace(ROW, gid=Gid(f"{SITE}/issue/{n}/1"), local=str(n)) for n in range(1_203)]
    shadows.save(conn, x.id, rows)
    assert shadows.entities(conn, x.id, [one.gid for one in rows]) == {one.gid: one for one in rows}


def test_of_several_rows_for_one_local_item_the_live_one_counts(conn: sa.Connection, x: Exchange) -> None:
    shadows.save(conn, x.id, [structs.replace(ROW, gid=OTHER, state=Life.DEAD), ROW])
    assert shadows.by_local(conn, x.id, Kind.ISSUE, "17") == ROW
    assert shadows.by_local(conn, x.id, Kind.COMMENT, "17") is None


def test_doubts_stand_until_they_are_dropped(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    shadows.put_doubts(
        conn,
        x.id,
        [(ISSUE, "summary", "a" * 32), (ISSUE, "labels:x", "c" * 32), (COMMENT, "", EMPTY)],
        now=7,
    )
    shadows.put_doubts(conn, x.id, [(ISSUE, "summary", "b" * 32), (COMMENT, "", EMPTY)], now=9)
    assert shadows.doubted_since(conn, x.id, COMMENT) == 7
    assert shadows.doubted_since(conn, x.id, ISSUE) is None
    assert shadows.doubts(conn, x.id) == {ISSUE: {"summary": "b" * 32, "labels:x": "c" * 32}, COMMENT: {"": EMPTY}}
    assert shadows.doubts(conn, y.id) == {}
    shadows.drop_doubts(conn, x.id, [ISSUE])
    assert shadows.doubts(conn, x.id) == {COMMENT: {"": EMPTY}}


def test_revisits_are_asked_for_at_once_or_once_another_issue_is_paired(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    shadows.add_revisits(conn, x.id, [("18", "17"), ("18", "16"), ("19", "")])
    assert shadows.revisits(conn, x.id) == ["19"]
    shadows.save(conn, y.id, [ROW])
    shadows.save(conn, x.id, [structs.replace(ROW, state=Life.DEAD)])
    assert shadows.revisits(conn, x.id) == ["19"], "dead, or of another exchange, is not paired"
    shadows.save(conn, x.id, [ROW])
    assert sorted(shadows.revisits(conn, x.id)) == ["18", "19"]
    assert shadows.ready_revisits(conn, x.id) == ["18"], "at once is not waited for"
    shadows.drop_revisits(conn, x.id, ["18", "20"])
    assert shadows.revisits(conn, x.id) == ["19"]
    shadows.drop_revisits(conn, x.id, ["19"])
    shadows.add_revisits(conn, x.id, [("19", "77")])
    assert shadows.revisits(conn, x.id) == shadows.ready_revisits(conn, x.id) == []
    assert shadows.revisits(conn, y.id) == []


def test_an_issue_may_wait_for_several_and_is_named_once(conn: sa.Connection, x: Exchange) -> None:
    shadows.add_revisits(conn, x.id, [("18", "16"), ("18", "17"), ("18", "17"), ("18", "")])
    shadows.save(conn, x.id, [ROW])
    assert shadows.revisits(conn, x.id) == shadows.ready_revisits(conn, x.id) == ["18"]


# ── queue, conflicts, journal ───────────────────────────────────────────────────────────────────────────────────

WAITS = Queued(mark=MARK, gid=COMMENT, change=b"{}", state=Wait.WAITS, waits_for=ISSUE, since=5)


def test_the_queue_is_in_order_and_keeps_since_when(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    earlier = replace(WAITS, mark=Mark("0001.0000000001.000009"), gid=ISSUE)
    journal.put_queued(conn, x.id, [WAITS, earlier])
    journal.put_queued(conn, x.id, [replace(WAITS, state=Wait.STUCK, waits_for="", reason="no", since=99, change=b"[]")])
    assert list(journal.queued(conn, x.id)) == [
        [earlier, replace(WAITS, state=Wait.STUCK, waits_for="", reason="no", change=b"[]")]
    ]
    assert journal.queued_gids(conn, x.id, [ISSUE, OTHER]) == {ISSUE}
    assert journal.queued_gids(conn, y.id, [ISSUE]) == set()
    journal.drop_queued(conn, x.id, [MARK])
    assert list(journal.queued(conn, x.id)) == [[earlier]]


def test_conflicts_are_the_newest_oldest_first(conn: sa.Connection, x: Exchange, y: Exchange) -> None:
    rows = [
        Conflict(at=n, mark=MARK, gid=ISSUE, key="A-1", field=f"f{n}", ours="o", theirs="t", winner="acme", rule="crossing")
        for n in range(5)
    ]
    journal.add_conflicts(conn, x.id, rows)
    assert journal.conflicts(conn, x.id) == rows
    assert journal.conflicts(conn, x.id, limit=2) == rows[3:]
    assert journal.conflicts(conn, y.id) == []


def test_the_journal_is_the_newest_oldest_first_of_one_exchange_or_all(conn: sa.Connection) -> None:
    rows = [
        Entry(exchange=name, at=at, severity="info", kind="Exported", detail=b"{}") for at, name in enumerate(["a", "b", "a"])
    ]
    journal.add_entries(conn, rows)
    assert journal.entries(conn) == rows
    assert journal.entries(conn, limit=1) == rows[2:]
    assert journal.entries(conn, since=1) == rows[1:]
    assert journal.entries(conn, exchange="a") == [rows[0], rows[2]]
