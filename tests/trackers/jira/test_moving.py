"""Issues through Jira's workflows, of which REST tells one status at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Flat
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.records import Transition
from tests.support.jira.site import DC10
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened, jira


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open()


@pytest.fixture
def local(opened: Opened) -> str:
    return opened.site.person("j.becker").create(BASIC)


def move(tracker: JiraTracker, local: str, *statuses: str) -> None:
    for status in statuses:
        assert tracker.apply(issue_ref(local), Write({"status": status}), MARK) == {"status": status}


def transition(opened: Opened, name: str) -> Transition:
    return next(one for one in opened.site.store.workflows["work"].transitions if one.name == name)


def steps(opened: Opened) -> int:
    return sum(seen.method == "POST" and seen.path.endswith("/transitions") for seen in opened.site.requests())


def test_trap15_who_is_there_takes_no_step(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.store.workflows["work"].transitions.append(Transition("999", "Again", ("To Do",), "To Do"))
    move(tracker, local, "To Do")
    assert tracker.route(issue_ref(local), "To Do") == ()
    assert steps(opened) == 0


def test_other_issues_of_the_type_show_the_way(opened: Opened, tracker: JiraTracker, local: str) -> None:
    person = opened.site.person("j.becker")
    for done in (["In Progress"], ["In Progress", "In Review"], ["Won't Do"]):
        other = person.create(BASIC)
        for status in done:
            person.transition(other, status)
    opened.site.site_clock().forward(600)
    assert tracker.route(issue_ref(local), "Done") == ("In Progress", "In Review", "Done")
    opened.site.forget_requests()
    assert tracker.route(issue_ref(local), "Done") == ("In Progress", "In Review", "Done")
    assert opened.site.requests() == [], "what is known is not asked for again"


def test_the_settings_show_the_way(opened: Opened, local: str) -> None:
    tracker = opened.open(transitions={"In Progress -> In Review": {}, "In Review -> Done": {}})
    assert tracker.route(issue_ref(local), "Done") == ("In Progress", "In Review", "Done")


def test_where_nobody_knows_the_way_it_goes_forward_and_learns(opened: Opened, tracker: JiraTracker, local: str) -> None:
    ref = issue_ref(local)
    assert tracker.route(ref, "Done") == ("In Progress",)
    move(tracker, local, "In Progress")
    assert tracker.route(ref, "Done") == ("In Review",)
    move(tracker, local, "In Review")
    assert tracker.route(ref, "Done") == ("Done",)
    other = opened.site.person("j.becker").create(BASIC)
    assert tracker.route(issue_ref(other), "Done") == ("In Progress", "In Review", "Done")


def test_what_another_thread_saw_meanwhile_is_the_way(
    opened: Opened, tracker: JiraTracker, local: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(tracker, local, "In Progress")
    categories = tracker._moving._categories

    def meanwhile() -> None:
        person = opened.site.person("j.becker")
        other = person.create(BASIC)
        for status in ("In Progress", "In Review"):
            person.transition(other, status)
        tracker.route(issue_ref(other), "Done")
        categories()

    monkeypatch.setattr(tracker._moving, "_categories", meanwhile)
    assert tracker.route(issue_ref(local), "Done") == ("In Review", "Done")


def test_where_no_step_is_left_it_says_what_there_is_and_what_to_do(opened: Opened, tracker: JiraTracker, local: str) -> None:
    transition(opened, "Start").sources = ()
    with pytest.raises(Rejected, match=r"no way is known .* by Decline to \"Won't Do\"") as caught:
        tracker.route(issue_ref(local), "Done")
    assert caught.value.fields.keys() == {"status"}
    assert "tracker.settings.transitions" in caught.value.hint
    opened.site.deny("TRANSITION_ISSUES")
    with pytest.raises(Rejected, match="lets our account take no step from there"):
        tracker.route(issue_ref(local), "Done")


def test_each_type_has_its_own_statuses(opened: Opened, tracker: JiraTracker) -> None:
    epic = opened.site.person("j.becker").create(
        {"type": "Epic", "summary": "x", **({"Epic Name": "x"} if opened.site.flavour.dc else {})}
    )
    with pytest.raises(Rejected, match='an issue of type Epic has no status "Blocked"'):
        tracker.route(issue_ref(epic), "Blocked")


def test_of_two_transitions_the_settings_say_which_is_meant(opened: Opened, local: str) -> None:
    opened.site.store.workflows["work"].transitions.append(
        Transition("998", "Reject", ("To Do",), "Won't Do", screen=("resolution",))
    )
    move(opened.open(), local, "Won't Do")
    assert opened.site.store.issues[local].values["resolution"] == "10001", "without a word, the first that Jira lists"
    other = opened.site.person("j.becker").create(BASIC)
    meant = {"name": "Reject", "fields": {"resolution": {"name": "Duplicate"}}}
    move(opened.open(transitions={"To Do -> Won't Do": meant}), other, "Won't Do")
    assert opened.site.store.issues[other].values["resolution"] == "10002"


def test_f112_a_screen_that_requires_a_field_is_named_and_the_settings_fill_it(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    step = transition(opened, "Start")
    step.screen, step.required = ("assignee", "duedate"), {"duedate"}
    with pytest.raises(Rejected, match="its screen requires duedate") as caught:
        tracker.apply(issue_ref(local), Write({"status": "In Progress"}), MARK)
    assert caught.value.fields.keys() == {"status"}
    move(opened.open(transitions={"To Do -> In Progress": {"fields": {"duedate": "2026-12-24"}}}), local, "In Progress")
    assert opened.site.store.issues[local].values["duedate"] == "2026-12-24"


def test_a_step_whose_answer_was_lost_is_found_done(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.lose_answer(method="POST", path="/transitions$")
    with pytest.raises(Exception, match="did not say whether"):
        move(tracker, local, "In Progress")
    move(tracker, local, "In Progress")
    assert steps(opened) == 1


def test_the_step_is_told_as_it_landed(opened: Opened, tracker: JiraTracker, local: str) -> None:
    """A rule of the project may move the issue on."""
    transition(opened, "Start").target = "Blocked"
    with pytest.raises(Rejected, match='no transition leads from "To Do" to "In Progress"'):
        tracker.apply(issue_ref(local), Write({"status": "In Progress"}), MARK)
    move(tracker, local, "Blocked")


def test_an_issue_is_asked_for_its_transitions_once_for_each_status_of_its_type(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    move(tracker, local, "In Progress")
    others = [
        tracker.create(gid(Kind.ISSUE, n), Draft(kind=Kind.ISSUE, issue=None, fields=BASIC, about=About())) for n in range(3)
    ]
    opened.site.forget_requests()
    for other in others:
        ref = other.item.ref
        for status in tracker.route(ref, "In Progress"):
            tracker.apply(ref, Write({"status": status}), MARK)
    assert [(one.method, one.path.rpartition("/")[2]) for one in opened.site.requests()] == [("POST", "transitions")] * 3


def test_what_somebody_else_did_meanwhile_is_seen_when_the_step_is_refused(
    opened: Opened, tracker: JiraTracker, local: str
) -> None:
    other = opened.site.person("j.becker").create(BASIC)
    move(tracker, other, "In Progress")
    move(tracker, other, "In Review")
    assert tracker.route(issue_ref(local), "In Review") == ("In Progress", "In Review")
    opened.site.person("j.becker").transition(local, "In Progress")
    assert tracker.apply(issue_ref(local), Write({"status": "In Progress"}), MARK) == {"status": "In Progress"}
    assert tracker.apply(issue_ref(local), Write({"status": "In Review"}), MARK) == {"status": "In Review"}
    assert opened.site.store.statuses[opened.site.store.issues[local].status].name == "In Review"


def test_a_field_that_is_on_no_screen_for_editing_is_written_by_a_transition_that_leads_back(tmp_path: Path) -> None:
    with jira(DC10, tmp_path) as opened:
        local = opened.site.person("j.becker").create(BASIC)
        flow = opened.site.store.workflows["work"]
        flow.transitions.append(Transition("998", "Look", ("To Do",), "To Do"))
        flow.transitions.append(Transition("999", "Sort out", ("To Do",), "To Do", screen=("labels", "duedate")))
        opened.site.store.off_screen |= {("edit", "duedate"), ("edit", "labels")}
        with pytest.raises(Rejected, match="due: "):
            opened.open().apply(issue_ref(local), Write({"due": "2026-12-24"}), MARK)
        meant = {"name": "Sort out", "writes": ["due", "labels"]}
        tracker = opened.open(transitions={"To Do -> To Do": meant})
        wanted: Flat = {"summary": "sorted out", "due": "2026-12-24", "labels:a": True}
        opened.site.forget_requests()
        assert tracker.apply(issue_ref(local), Write(wanted), MARK) == wanted
        assert steps(opened) == 1
        assert tracker.apply(issue_ref(local), Write(wanted), MARK) == wanted
        assert steps(opened) == 1, "what is so already is not written"
        flow.transitions[-1].sources = ("Done",)
        with pytest.raises(Rejected, match='leads from "To Do" back to it') as caught:
            tracker.apply(issue_ref(local), Write({"due": None, "summary": "again"}), MARK)
        assert caught.value.fields.keys() == {"due"}
        move(tracker, local, "In Progress")
        with pytest.raises(Rejected, match="due: "):
            tracker.apply(issue_ref(local), Write({"due": None}), MARK)  # in another status it is an edit
