"""Which changes are decided together: any order that keeps what depends on each other gives the same end."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from filesync.agent.merge.order import GROUP, groups, pointless
from filesync.agent.merge.outcome import Work
from filesync.model.change import Change, Create, Delete, Scoped, Set, Told
from filesync.model.ids import Gid, Kind, SiteId, make_gid, make_mark
from filesync.model.issue import Scope

SITE = SiteId("11111111-2222-3333-4444-555555555555")
ISSUES = [make_gid(SITE, Kind.ISSUE, str(n), "1") for n in range(4)]
COMMENTS = [make_gid(SITE, Kind.COMMENT, str(n), "1") for n in range(2 * GROUP)]


def works(changes: list[Change]) -> list[Work]:
    return [Work(make_mark(1, 1, n), change) for n, change in enumerate(changes, start=1)]


def comment(n: int, issue: Gid) -> Create:
    return Create(n=1, gid=COMMENTS[n], kind=Kind.COMMENT, parent=issue, fields={"body": "x"})


def new(gid: Gid, *, parent: Gid | None = None) -> Create:
    return Create(n=1, gid=gid, kind=Kind.ISSUE, fields={"parent": parent} if parent else {})


some = st.one_of(
    st.builds(new, st.sampled_from(ISSUES), parent=st.none() | st.sampled_from(ISSUES)),
    st.builds(comment, st.integers(0, 9), st.sampled_from(ISSUES)),
    st.builds(lambda gid: Set(n=1, gid=gid, fields={"summary": Told("s")}), st.sampled_from([*ISSUES, *COMMENTS[:10]])),
    st.builds(
        lambda gid, parent: Set(n=1, gid=gid, fields={"parent": Told(parent)}), st.sampled_from(ISSUES), st.sampled_from(ISSUES)
    ),
    st.builds(lambda gid: Delete(n=1, gid=gid), st.sampled_from([*ISSUES, *COMMENTS[:10]])),
    st.builds(lambda gid: Scoped(n=1, gid=gid, now=Scope.LEFT), st.sampled_from(ISSUES)),
)


def depends(later: Change, earlier: Change) -> bool:
    """Whether the later one must see what the earlier one did."""
    if later.gid == earlier.gid:
        return True
    match later:
        case Create():
            return earlier.gid in {later.parent, later.fields.get("parent")}
        case Set():
            return earlier.gid in {told.now for told in later.fields.values()}
        case Delete():
            return isinstance(earlier, Create) and earlier.parent == later.gid
        case Scoped():
            return False


@given(st.lists(some, max_size=60))
def test_what_depends_comes_in_a_later_group(changes: list[Change]) -> None:
    todo = works(changes)
    found = list(groups(todo))
    assert sorted(work.mark for group in found for work in group) == [work.mark for work in todo]
    place = {work.mark: number for number, group in enumerate(found) for work in group}
    for at, later in enumerate(todo):
        for earlier in todo[:at]:
            if depends(later.change, earlier.change):
                assert place[earlier.mark] < place[later.mark]
    assert all(0 < len(group) <= GROUP for group in found)


def test_the_comments_of_one_issue_do_not_make_groups_small() -> None:
    sizes = [len(group) for group in groups(works([new(ISSUES[0]), *(comment(n, ISSUES[0]) for n in range(2 * GROUP))]))]
    assert sizes == [1, GROUP, GROUP]


def test_large_changes_are_not_all_in_memory_before_the_first_is_decided() -> None:
    drawn = 0

    def arriving() -> Iterator[Work]:
        nonlocal drawn
        for one in works([replace(comment(n, ISSUES[0]), fields={"body": "x" * (2 << 20)}) for n in range(40)]):
            drawn += 1
            yield one

    found = groups(arriving())
    assert len(next(found)) == 16, "32 MiB of texts"
    assert drawn == 16
    assert sum(map(len, found)) == 24


def test_nobody_is_asked_about_what_is_gone_or_about_to_go() -> None:
    edit = Set(n=1, gid=ISSUES[0], fields={"summary": Told("s")})
    assert not pointless(edit, over=(), doomed=())
    assert pointless(edit, over={ISSUES[0]}, doomed=())
    assert pointless(edit, over=(), doomed={ISSUES[0]})
    assert pointless(comment(1, ISSUES[0]), over={ISSUES[0]}, doomed=())
    assert not pointless(comment(1, ISSUES[0]), over=(), doomed={ISSUES[0]})  # its issue may yet refuse to go
    assert not pointless(Delete(n=1, gid=ISSUES[0]), over=(), doomed={ISSUES[0]})
