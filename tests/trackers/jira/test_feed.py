"""What the feed of a Jira names, against the simulator: nothing is left out, nothing is told deleted that is not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import Rejected, Unavailable
from filesync.model.issue import Scope
from filesync.trackers.jira.read.cursor import MINUTE
from tests.support.jira.clock import iso
from tests.support.jira.flavours import CLOUD, DC10, FLAVOURS, Flavour
from tests.trackers.jira.feed_bench import Jira, make, settled


@pytest.fixture(params=FLAVOURS, ids=lambda flavour: flavour.name)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    assert isinstance(request.param, Flavour)
    return request.param


@pytest.fixture
def jira(flavour: Flavour, tmp_path: Path) -> Jira:
    return make(flavour, tmp_path, sweep=1_000_000)  # so that the sweep hides nothing that the poll leaves out


# ── what it costs ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_poll_that_finds_nothing_asks_twice_besides_the_sweep(jira: Jira) -> None:
    for _ in range(5):
        jira.create()
    settled(jira)
    costs = jira.costs(lambda: jira.named(jira.cursor))
    sweep = {"POST rest/api/N/issue/bulkfetch": 1} if jira.search.cloud else {"POST rest/api/N/search": 1}
    assert (costs - Counter(sweep)).total() == 2


def test_one_changed_issue_costs_four_requests_at_most_besides_the_sweep(jira: Jira) -> None:
    made = [jira.create() for _ in range(5)]
    settled(jira)
    idle = jira.costs(jira.follow).total()
    jira.edit(made[4], summary="changed")
    told: list[str] = []
    assert jira.costs(lambda: told.extend(jira.follow())).total() <= 2 + idle
    assert set(told) >= {made[4]}


def test_the_first_reading_of_many_costs_one_request_for_fifty(jira: Jira) -> None:
    made = [jira.create(str(n)) for n in range(500)]
    for local in made:
        for _ in range(3):
            jira.comment(local)
    requests = sum(jira.costs(jira.follow).values())
    assert set(jira.copy) == set(made)
    assert all(len(issue.children) == 3 for issue in jira.copy.values())
    assert requests <= 1 + 500 / 50


# ── the poll ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_trap01_trap04_the_accounts_time_zone_hides_nothing(jira: Jira, zone: str) -> None:
    made = [jira.create() for _ in range(3)]
    jira.account.zone = zone
    settled(jira)
    jira.edit(made[1], summary="just now")
    assert made[1] in jira.follow()


@pytest.mark.parametrize("exact", [False, True])
def test_trap02_every_edit_is_told_whatever_the_index_keeps_of_the_time(jira: Jira, exact: bool) -> None:
    jira.faults.index_exact = exact
    made = [jira.create() for _ in range(4)]
    jira.follow()
    for n in range(12):
        jira.edit(made[n % 4], summary=f"turn {n}")
        assert made[n % 4] in jira.follow()
        assert jira.copy[made[n % 4]].item.fields["summary"] == f"turn {n}"
        jira.forward(n / 4)


def test_trap03_rows_that_move_between_two_pages_hide_no_other(jira: Jira) -> None:
    made = [jira.create(str(n)) for n in range(30)]
    jira.follow()
    jira.forward()
    for local in made:
        jira.edit(local, summary="all of them")
    jira.faults.page_cap, jira.faults.rows_move = 4, True
    assert set(jira.follow()) == set(made)
    assert jira.faults.struck["rows move"]


def test_trap05_more_than_the_window_holds_are_found(jira: Jira) -> None:
    made = {jira.create(str(n)) for n in range(130)}  # two and more of them in every minute
    jira.faults.page_cap, jira.faults.window = 20, 80
    assert set(jira.follow()) == made
    assert not jira.faults.struck["window"]


def test_trap05_a_minute_that_holds_more_than_the_window_is_told(tmp_path: Path) -> None:
    jira = make(DC10, tmp_path)
    jira.clock.forward(0)
    jira.store.clock = type(jira.clock)(tick=1)
    for n in range(50):
        jira.create(str(n))
    jira.faults.page_cap, jira.faults.window = 20, 40
    with pytest.raises(Unavailable):
        jira.follow()
    assert jira.faults.struck["window"]


@pytest.mark.parametrize("fault", ["token_ignored", "token_loops", "token_expires"])
def test_trap06_pages_that_never_end_are_told_and_the_list_is_never_shorter(tmp_path: Path, fault: str) -> None:
    jira = make(CLOUD, tmp_path)
    made = {jira.create(str(n)) for n in range(12)}
    jira.faults.page_cap = 5
    setattr(jira.faults, fault, True)
    with pytest.raises(Unavailable) as caught:
        jira.follow()
    assert caught.value.hint
    assert jira.cursor is None
    setattr(jira.faults, fault, False)
    assert set(jira.follow()) == made


def test_trap06_a_token_that_expires_once_is_followed_anew(tmp_path: Path) -> None:
    jira = make(CLOUD, tmp_path)
    made = {jira.create(str(n)) for n in range(12)}
    jira.faults.page_cap = 5
    pages = iter(range(100))

    def second_page_is_late(path: str) -> None:
        jira.faults.token_expires = path.endswith("search/jql") and next(pages) == 1

    jira.http.before = second_page_is_late
    assert set(jira.follow()) == made
    assert jira.faults.struck["token expires"]


def test_trap07_what_the_index_shows_late_is_told_late(jira: Jira) -> None:
    made = [jira.create() for _ in range(3)]
    settled(jira)
    jira.faults.index_lag = 55
    jira.edit(made[1], summary="late")
    new = jira.create("later still")
    jira.follow()
    assert new not in jira.copy
    jira.clock.forward(20)
    jira.edit(made[2], summary="in between")
    jira.follow()
    jira.clock.forward(60)
    jira.follow()
    assert jira.copy[made[1]].item.fields["summary"] == "late"
    assert new in jira.copy
    jira.clock.forward(60)
    jira.follow()
    assert jira.copy[made[2]].item.fields["summary"] == "in between"


def test_trap07_f111_what_we_wrote_is_not_read_as_it_was_before(tmp_path: Path) -> None:
    jira = make(DC10, tmp_path)
    local = jira.create("before")
    settled(jira)
    jira.edit(local, summary="a person's")
    jira.follow()
    jira.faults.index_held = True
    jira.edit(local, by="filesync", summary="ours")
    assert local in jira.follow()  # looked at once more, as it was young
    assert jira.copy[local].item.fields["summary"] == "ours"


def test_f111_an_issue_that_the_index_lost_is_found_by_the_census(jira: Jira) -> None:
    jira.create()
    settled(jira)
    jira.faults.index_held = True
    lost = jira.create("the index took hours")
    for _ in range(5):
        jira.forward(60)
        jira.follow()
    jira.faults.index_held = False
    for _ in range(25):
        jira.forward(60)
        jira.follow()
    assert lost in jira.copy


def test_trap34_a_project_named_as_a_word_of_jql_is_searched(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path)
    jira.store.project("ABC").key = "AND"  # type: ignore[union-attr]  # it is there
    jira.search = type(jira.search)(jira.http, jira.search.cloud, "AND")
    jira.reading = jira.new_reading()
    made = jira.work().create({"fields": {"project": {"key": "AND"}, "issuetype": {"name": "Bug"}, "summary": "x"}}).id
    assert jira.named() == [made]


# ── stopping and starting again ─────────────────────────────────────────────────────────────────────────────────


def test_a_first_reading_that_was_cut_off_goes_on_where_it_ended(jira: Jira) -> None:
    made = []
    for n in range(30):
        made.append(jira.create(str(n)))
        jira.forward(5)
    first = jira.follow(steps=2, chunk=10)
    rest = jira.follow()
    assert first == made[:20]
    assert set(rest) >= set(made[20:])
    assert len(rest) < 15


def test_oldest_change_comes_first(jira: Jira) -> None:
    first, second, third = (jira.create() for _ in range(3))
    if jira.search.cloud:  # where a first reading goes by ids
        jira.follow()
        jira.forward()
        jira.edit(second, summary="edited")
        jira.edit(third, summary="edited")
    jira.edit(first, summary="last of all")
    assert jira.named(jira.cursor)[:3] == [second, third, first]


def test_what_changes_while_a_first_reading_is_cut_off_is_told(jira: Jira) -> None:
    made = [jira.create(str(n)) for n in range(30)]
    jira.forward(5)
    jira.follow(steps=2, chunk=10)
    jira.forward(5)
    jira.edit(made[3], summary="edited meanwhile")
    jira.delete(made[25])
    jira.follow()
    assert set(jira.copy) == {*made} - {made[25]}
    assert jira.copy[made[3]].item.fields["summary"] == "edited meanwhile"
    jira.forward()
    assert len(jira.follow()) < 3, "what follows is a poll again"


def test_the_first_reading_of_a_scope_costs_no_more(tmp_path: Path) -> None:
    jira = make(CLOUD, tmp_path, scope="labels = shared", sweep=1_000_000)
    made = [jira.create(str(n), labels=["shared"] if n % 2 else []) for n in range(300)]
    jira.forward()
    assert jira.costs(jira.follow).total() == 1 + 1 + 2, "the time, the ids, and a hundred issues at a time"
    assert set(jira.copy) == set(made[1::2])
    assert all(issue.in_scope for issue in jira.copy.values())


@pytest.mark.parametrize(
    "cursor", ["", "17.176", '{"at":99999999999999}'], ids=["none", "another tracker's", "from the future"]
)
def test_a_cursor_that_cannot_be_gone_on_from_names_everything(jira: Jira, cursor: str) -> None:
    made = {jira.create() for _ in range(3)}
    assert set(jira.named(cursor)) == made


def test_a_clock_that_was_set_back_loses_nothing(jira: Jira) -> None:
    made = {jira.create() for _ in range(3)}
    settled(jira)
    jira.forward(-60)
    jira.edit(min(made), summary="in the hour that comes twice")
    assert min(made) in jira.follow()


def test_only_young_issues_come_where_older_ones_are_to_stay(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path)
    old = jira.create("old")
    jira.forward(60 * 24)
    midnight = jira.clock.now() // MINUTE * MINUTE
    jira = Jira(jira.store, jira.http, jira.faults, jira.clock, not_before=midnight)
    young = jira.create("young")
    assert jira.follow() == [young]
    jira.forward()
    jira.edit(old, summary="old and edited")
    assert old in jira.follow()
    assert (jira.copy[old].in_scope, jira.copy[young].in_scope) == (False, True)


# ── the scope ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shared(flavour: Flavour, tmp_path: Path) -> Jira:
    return make(flavour, tmp_path, scope='labels = "share" OR labels = joint')


def test_the_first_reading_is_of_the_scope_and_leaving_it_is_not_being_deleted(shared: Jira) -> None:
    kept, other = shared.create(labels=["share"]), shared.create(labels=["home"])
    assert shared.follow() == [kept]
    shared.forward()
    shared.edit(kept, labels=[])
    shared.edit(other, labels=["joint"])
    shared.follow()
    assert (shared.copy[kept].scope, shared.copy[other].scope) == (Scope.LEFT, Scope.IN)


def test_an_issue_whose_newest_state_the_index_does_not_have_is_out_of_scope_until_it_has(tmp_path: Path) -> None:
    shared = make(DC10, tmp_path, scope='labels = "share"')
    local = shared.create(labels=["share"])
    settled(shared)
    shared.edit(local, summary="seen by the poll")
    shared.faults.index_held = True
    shared.edit(local, summary="not for the partner", labels=[])
    shared.follow()
    assert shared.copy[local].scope is Scope.DOUBT
    shared.faults.index_held = False
    again = shared.reading.get(local)
    assert again is not None
    assert again.scope is Scope.LEFT
    shared.edit(local, labels=["share"])
    shared.faults.index_held = False
    shared.forward(1)
    shared.follow()
    assert shared.copy[local].in_scope


def test_a_search_that_shows_the_newest_fields_of_an_old_entry_puts_nothing_into_scope(tmp_path: Path) -> None:
    shared = make(DC10, tmp_path, scope='labels = "share"')
    local = shared.create(labels=["share"])
    settled(shared)
    shared.edit(local, summary="seen by the poll")
    shared.faults.index_held = True
    shared.forward(1)
    shared.edit(local, summary="not for the partner", labels=[])
    ask = shared.http.ask

    def newest(path: str, **more: Any) -> Any:
        answer = ask(path, **more)
        for one in answer["issues"]:
            one["fields"]["updated"] = iso(shared.kept(one["id"]).updated, "UTC")
        return answer

    shared.http.ask = newest  # type: ignore[method-assign]
    shared.follow()
    assert shared.copy[local].item.fields["summary"] == "not for the partner"
    assert shared.copy[local].scope is Scope.DOUBT


def test_a_query_that_would_look_beyond_the_scope_is_refused(tmp_path: Path) -> None:
    shared = make(CLOUD, tmp_path, scope="labels = shared")
    inside, outside = shared.create(labels=["shared"]), shared.create()
    assert list(shared.reading.scoping.select("priority = Medium OR priority != Medium")) == [inside]
    with pytest.raises(Rejected, match="closes a parenthesis that it does not open"):
        list(shared.reading.scoping.select(f"id = {outside}) OR (id = {outside}"))


def test_what_comes_into_the_scope_unseen_is_found_by_the_census(shared: Jira) -> None:
    shared.create(labels=["share"])
    other = shared.create(labels=["home"])
    settled(shared)
    shared.store.put(shared.kept(other), {"labels": ["share"]})  # nothing is updated by it
    for _ in range(25):
        shared.forward()
        shared.follow()
    assert shared.copy[other].in_scope


def test_a_scope_that_jira_does_not_take_is_told(flavour: Flavour, tmp_path: Path) -> None:
    jira = make(flavour, tmp_path, scope="no_such_field = 1")
    jira.create()
    with pytest.raises(Unavailable) as caught:
        jira.follow()
    assert "scope" in caught.value.hint
