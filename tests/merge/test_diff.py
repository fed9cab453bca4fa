"""What an export tells of one issue, as a pure function of what the tracker shows and the ledger knows."""

from collections.abc import Mapping

from msgspec.structs import replace

from filesync.model.change import Create, Delete, Set, Told
from filesync.model.diff import Seen, Tell, diff
from filesync.model.ids import NEVER, Gid, Kind, SiteId, make_gid, make_mark
from filesync.model.issue import About
from filesync.model.shadow import Entity, Life, Shadow, Shadows
from filesync.model.values import EMPTY, Value, digest

SITE = SiteId("11111111-2222-3333-4444-555555555555")
ISSUE, COMMENT = make_gid(SITE, Kind.ISSUE, "1", "1000"), make_gid(SITE, Kind.COMMENT, "9", "1000")
TOOK, TOLD, MARK = make_mark(1, 3, 1), make_mark(1, 2, 1), make_mark(1, 5, 2)


def issue(fields: Mapping[str, Value], *, unknown: frozenset[str] = frozenset(), came: bool = False) -> Seen:
    return Seen(
        gid=ISSUE, kind=Kind.ISSUE, parent=None, local="1", fields=fields, unknown=unknown, came=came, about=About(key="ABC-1")
    )


def comment(body: str = "hello") -> Seen:
    return Seen(
        gid=COMMENT,
        kind=Kind.COMMENT,
        parent=ISSUE,
        local="9",
        fields={"body": body},
        unknown=frozenset(),
        came=False,
        about=About(),
    )


def row(fields: Mapping[str, Value], *, state: Life = Life.LIVE) -> Entity:
    shadows = {name: Shadow(here=digest(value), told=TOLD, took=TOOK) for name, value in fields.items()}
    return Entity(gid=ISSUE, kind=Kind.ISSUE, local="1", state=state, shadows=Shadows.of(shadows))


def comment_row(*, state: Life = Life.LIVE) -> Entity:
    shadows = {"body": Shadow(here=digest("hello"))}
    return Entity(gid=COMMENT, kind=Kind.COMMENT, parent=ISSUE, local="9", state=state, shadows=Shadows.of(shadows))


def told(
    *seen: Seen,
    rows: tuple[Entity, ...] = (),
    in_scope: bool = True,
    doubted: frozenset[Gid] = frozenset(),
    silent: frozenset[str] = frozenset(),
    nowhere: frozenset[str] = frozenset(),
) -> list[Tell]:
    by_gid = {one.gid: one for one in rows}
    return diff(
        seen,
        by_gid,
        in_scope=in_scope,
        doubted=doubted,
        tells=lambda _, name, *, new: name not in silent,
        placed=lambda name: name not in nowhere,
    )


def changes(tells: list[Tell]) -> list[object]:
    return [tell.change(n) for n, tell in enumerate(tells, start=1)]


def test_a_new_issue_is_told_whole_and_before_its_comments() -> None:
    tells = told(issue({"summary": "s"}), comment())
    assert changes(tells) == [
        Create(n=1, gid=ISSUE, kind=Kind.ISSUE, fields={"summary": "s"}, about=About(key="ABC-1")),
        Create(n=2, gid=COMMENT, kind=Kind.COMMENT, parent=ISSUE, fields={"body": "hello"}),
    ]
    assert tells[0].rows(MARK) == [
        Entity(gid=ISSUE, kind=Kind.ISSUE, local="1", shadows=Shadows.of({"summary": Shadow(here=digest("s"), told=MARK)}))
    ]
    assert [tell.word for tell in tells] == ["create", "create"]


def test_new_attachments_are_told_before_the_texts_that_may_show_them() -> None:
    picture = replace(
        comment(), gid=make_gid(SITE, Kind.ATTACHMENT, "7", "1000"), kind=Kind.ATTACHMENT, fields={"name": "a.png"}
    )
    new = replace(comment("!a.png!"), gid=make_gid(SITE, Kind.COMMENT, "8", "1000"))
    edited = told(issue({"summary": "s"}), comment("see !a.png!"), new, picture, rows=(row({"summary": "old"}), comment_row()))
    assert [(tell.word, tell.row.kind) for tell in edited] == [
        ("create", Kind.ATTACHMENT),
        ("set", Kind.ISSUE),
        ("set", Kind.COMMENT),
        ("create", Kind.COMMENT),
    ]
    born = told(issue({"summary": "s"}), comment(), picture)
    assert [tell.row.kind for tell in born] == [Kind.ISSUE, Kind.ATTACHMENT, Kind.COMMENT]


def test_of_what_few_may_see_nothing_is_told_but_its_deletion() -> None:
    secret, said = replace(issue({"summary": "s"}), withheld=True), replace(comment(), withheld=True)
    assert told(secret, comment()) == []
    assert told(secret, comment("new"), rows=(row({"summary": "old"}), comment_row())) == []
    assert [tell.row.gid for tell in told(issue({"summary": "s"}), said)] == [ISSUE]
    assert told(issue({}), replace(comment("edited"), withheld=True), rows=(row({}), comment_row())) == []
    (tell,) = told(secret, rows=(row({}), comment_row()))
    assert (tell.row.gid, tell.word) == (COMMENT, "delete")


def test_what_is_as_agreed_is_not_told() -> None:
    assert told(issue({"summary": "s"}), comment(), rows=(row({"summary": "s"}), comment_row())) == []


def test_one_edit_of_several_fields_is_one_set_each_with_its_base() -> None:
    (tell,) = told(
        issue({"summary": "new", "kept": "k", "labels:a": True}), rows=(row({"summary": "old", "kept": "k", "gone": "g"}),)
    )
    assert tell.change(4) == Set(
        n=4,
        gid=ISSUE,
        fields={"summary": Told("new", TOOK), "labels:a": Told(True, NEVER), "gone": Told(None, TOOK)},
        about=About(key="ABC-1"),
    )
    (after,) = tell.rows(MARK)
    assert after.shadow("summary") == Shadow(here=digest("new"), told=MARK, took=TOOK)
    assert after.shadow("gone") == Shadow(here=EMPTY, told=MARK, took=TOOK)
    assert after.shadow("kept") == Shadow(here=digest("k"), told=TOLD, took=TOOK)
    assert tell.word == "set"


def test_what_cannot_be_told_is_neither_told_nor_taken_for_empty() -> None:
    unknown = frozenset({"parent"})
    assert told(issue({"summary": "s"}, unknown=unknown), rows=(row({"summary": "s", "parent": "p"}),)) == []
    (tell,) = told(issue({"summary": "s", "parent": "p"}, unknown=unknown))
    assert tell.change(1) == Create(
        n=1, gid=ISSUE, kind=Kind.ISSUE, fields={"summary": "s"}, untold=["parent"], about=About(key="ABC-1")
    )


def test_a_field_that_this_side_does_not_tell_stays_here() -> None:
    silent = frozenset({"cost"})
    assert told(issue({"cost": "1"}), rows=(row({"cost": "2"}),), silent=silent) == []
    (tell,) = told(issue({"summary": "s", "cost": "1"}), silent=silent)
    assert tell.fields == {"summary": "s"}


def test_what_an_import_made_is_never_told_as_new() -> None:
    assert told(issue({"summary": "s"}, came=True)) == []


def test_an_issue_of_a_type_outside_the_contract_is_not_told_nor_its_comments() -> None:
    assert told(issue({"summary": "s"}, unknown=frozenset({"type"})), comment()) == []


def test_out_of_scope_only_deletions_are_told() -> None:
    rows = (row({"summary": "old"}), comment_row())
    assert told(issue({"summary": "new"}), comment("edited"), rows=rows, in_scope=False) == []
    assert told(issue({"summary": "s"}), in_scope=False) == []
    assert changes(told(issue({"summary": "new"}), rows=rows, in_scope=False)) == [Delete(n=1, gid=COMMENT)]


def test_what_is_in_doubt_is_left_out_alone() -> None:
    rows = (row({"summary": "old"}), comment_row())
    tells = told(issue({"summary": "new"}), comment("edited"), rows=rows, doubted=frozenset({ISSUE}))
    assert [tell.row.gid for tell in tells] == [COMMENT]
    assert told(rows=rows[:1], doubted=frozenset({ISSUE})) == []


def test_a_deleted_issue_is_told_once_and_takes_what_belongs_to_it() -> None:
    rows = (row({"summary": "s"}), comment_row())
    (tell,) = told(rows=rows)
    assert tell.change(1) == Delete(n=1, gid=ISSUE)
    assert tell.word == "delete"
    assert [(one.gid, one.state, one.fields) for one in tell.rows(MARK)] == [
        (ISSUE, Life.DEAD, {}),
        (COMMENT, Life.DEAD, {}),
    ]


def test_a_deleted_comment_is_told() -> None:
    assert changes(told(issue({"summary": "s"}), rows=(row({"summary": "s"}), comment_row()))) == [Delete(n=1, gid=COMMENT)]


def test_what_is_dead_or_apart_is_never_told_again() -> None:
    for state in (Life.DEAD, Life.APART):
        rows = (row({"summary": "old"}, state=state), comment_row(state=state))
        assert told(issue({"summary": "new"}), comment("edited"), rows=rows) == []
        assert told(rows=rows) == []
        new = Seen(
            gid=make_gid(SITE, Kind.COMMENT, "10", "1"),
            kind=Kind.COMMENT,
            parent=ISSUE,
            local="10",
            fields={"body": "new"},
            unknown=frozenset(),
            came=False,
            about=About(),
        )
        assert told(issue({"summary": "new"}), new, rows=rows[:1]) == []


def test_what_has_no_place_in_our_tracker_any_more_is_not_taken_for_empty() -> None:
    before = row({"summary": "s", "labels:x": True})
    assert [tell.fields for tell in told(issue({"summary": "s"}), rows=(before,))] == [{"labels:x": None}]
    assert told(issue({"summary": "s"}), rows=(before,), nowhere=frozenset({"labels:x"})) == []
