"""The way through a workflow of which only parts are known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filesync.trackers.jira.write.workflow import Place, Seen, Step, choose, read_place

CATEGORY = {
    "To Do": "new",
    "In Progress": "indeterminate",
    "In Review": "indeterminate",
    "Blocked": "indeterminate",
    "Done": "done",
    "Won't Do": "done",
}
WORK = {
    "To Do": ("In Progress", "Won't Do"),
    "In Progress": ("In Review", "Blocked", "To Do", "Won't Do"),
    "In Review": ("Done", "In Progress"),
    "Blocked": ("In Progress", "Won't Do"),
    "Done": ("To Do",),
    "Won't Do": ("To Do",),
}


def at(status: str, kind: str = "Bug", steps: dict[str, tuple[str, ...]] | None = None) -> Place:
    """An issue in this status, with the steps that Jira would list for it."""
    targets = (steps or WORK)[status]
    listed = tuple(Step(str(n), f"to {to}", to, CATEGORY.get(to, "")) for n, to in enumerate(targets))
    return Place(kind, status, CATEGORY.get(status, ""), listed)


def test_an_issues_json_says_where_it_stands_and_what_it_may_do() -> None:
    done: dict[str, Any] = {"id": "10003", "name": "Done", "statusCategory": {"key": "done", "id": 3}}
    issue: dict[str, Any] = {
        "id": "10001",
        "fields": {"status": {"name": "To Do", "statusCategory": {"key": "new"}}, "issuetype": {"id": "1", "name": "Bug"}},
        "transitions": [{"id": "5", "name": "Close", "to": done, "isGlobal": True}, {"id": 7, "name": "Odd", "to": None}],
    }
    expected = Place("Bug", "To Do", "new", (Step("5", "Close", "Done", "done"), Step("7", "Odd", "", "")))
    assert read_place(issue) == expected
    assert read_place({"fields": None}) == Place("", "", "", ())


def test_one_step_is_known_from_the_issue_itself() -> None:
    assert Seen().way(at("To Do"), "In Progress") == ("In Progress",)
    assert Seen().way(at("To Do"), "To Do") == ()
    assert Seen().way(at("To Do"), "Done") is None


def test_what_other_issues_of_the_type_showed_is_known() -> None:
    seen = Seen()
    for status in ("In Progress", "In Review"):
        seen.learn(at(status))
    assert seen.way(at("To Do"), "Done") == ("In Progress", "In Review", "Done")
    assert seen.way(at("To Do", "Epic"), "Done") is None


def test_what_the_settings_say_holds_for_every_type() -> None:
    seen = Seen([("In Progress", "In Review"), ("In Review", "Done")])
    assert seen.way(at("To Do", "Epic"), "Done") == ("In Progress", "In Review", "Done")


def test_out_of_where_the_issue_stands_only_what_jira_lists_for_it_counts() -> None:
    seen = Seen([("To Do", "Done")])
    seen.learn(at("To Do", steps={"To Do": ("Done",)}))
    assert seen.way(at("To Do"), "Done") is None


def test_the_unseen_step_forward_is_the_nearest_and_never_declares_the_work_done() -> None:
    seen = Seen()
    seen.learn(at("To Do"))
    seen.note("Done", "done")
    assert seen.unseen(at("To Do")) == ("In Progress", "Won't Do")
    assert seen.forward(at("To Do"), "Done") == ("In Progress",)
    seen.learn(at("In Progress"))
    assert seen.forward(at("In Progress"), "Done") == ("In Review",)
    assert seen.forward(at("To Do"), "Done") == ("In Progress", "In Review")


def test_what_is_done_may_be_taken_up_again_but_not_by_way_of_another_end() -> None:
    steps = {**WORK, "Done": ("Won't Do", "Reopened")}
    seen = Seen()
    place = at("Done", steps=steps)
    seen.learn(place)
    seen.note("To Do", "new")
    assert seen.forward(place, "To Do") == ("Reopened",)
    assert seen.forward(place, "Closed") == ("Reopened",)
    seen.note("Closed", "done")
    assert seen.forward(place, "Closed") == ("Won't Do",), "from one end to another"


def test_where_everything_is_seen_there_is_nothing_to_try() -> None:
    seen = Seen()
    for status in WORK:
        seen.learn(at(status))
    assert seen.forward(at("To Do"), "No such status") is None


def test_the_settings_say_which_of_two_transitions_is_meant() -> None:
    steps = (Step("1", "Close", "Done"), Step("2", "Decline", "Done"), Step("3", "Close", "To Do"))
    assert [step.id for step in choose(steps, "Done", None)] == ["1", "2"]
    assert [step.id for step in choose(steps, "Done", "Decline")] == ["2"]
    assert choose(steps, "Done", "Reject") == ()


statuses = st.sampled_from([f"S{n}" for n in range(6)])
graphs = st.dictionaries(statuses, st.lists(statuses, max_size=4, unique=True), min_size=1)


@given(graphs, statuses, statuses, st.dictionaries(statuses, st.sampled_from(["new", "indeterminate", "done"])))
def test_asking_again_after_each_step_comes_to_an_end_and_takes_only_steps_there_are(
    graph: dict[str, list[str]], start: str, goal: str, category: dict[str, str]
) -> None:
    seen, here, walked = Seen(), start, [start]
    for status, one in category.items():
        seen.note(status, one)
    for _ in range(len(graph) + 7):
        steps = tuple(Step(str(n), to, to, category.get(to, "")) for n, to in enumerate(graph.get(here, ())))
        place = Place("Bug", here, category.get(here, ""), steps)
        seen.learn(place)
        way = seen.way(place, goal)
        if way == () or (way is None and (way := seen.forward(place, goal)) is None):
            break
        assert way
        walked += way
        here = way[-1]
    else:
        raise AssertionError("it goes in circles")
    assert all(there in graph.get(one, ()) for one, there in pairwise(walked))
