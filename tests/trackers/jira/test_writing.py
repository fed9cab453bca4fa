"""What an import changes and takes away in Jira, and what it is told when it may not."""

from __future__ import annotations

import pytest

from filesync.errors import Gone, Rejected, Unavailable
from filesync.model.ids import Kind
from filesync.model.issue import About, Ref, Scope
from filesync.model.links import link_name
from filesync.model.values import Flat
from filesync.trackers.base import Draft, MarkDeleted, MarkScope, Remove, Write
from filesync.trackers.jira.tracker import JiraTracker
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open()


@pytest.fixture
def local(opened: Opened) -> str:
    return opened.site.person("j.becker").create(BASIC)


def writes(opened: Opened) -> list[str]:
    """The writes to Jira, as method and the end of the path."""
    asked = (seen for seen in opened.site.requests("/rest/") if seen.method in {"PUT", "POST", "DELETE"})
    return [
        f"{seen.method} {seen.path.rpartition('/')[2]}" for seen in asked if not seen.path.endswith(("jql", "search", "fetch"))
    ]


# ── fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_any_number_of_fields_is_one_write(opened: Opened, tracker: JiraTracker, local: str) -> None:
    fields: Flat = {"summary": "x", "labels:b": True, "labels:share": None, "priority": "Low", "components:Firmware": True}
    opened.site.forget_requests()
    assert tracker.apply(issue_ref(local), Write(fields), MARK) == fields
    assert writes(opened) == [f"PUT {local}"]
    assert len(opened.site.requests()) <= (2 if opened.site.flavour.cloud else 3)


def test_what_is_so_already_is_no_write(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.forget_requests()
    fields: Flat = {"summary": BASIC["summary"], "labels:share": True, "labels:never-there": None}
    assert tracker.apply(issue_ref(local), Write(fields), MARK) == fields
    assert writes(opened) == []


def test_the_history_says_for_which_change_it_was(opened: Opened, tracker: JiraTracker, local: str) -> None:
    tracker.apply(issue_ref(local), Write({"summary": "x"}), MARK)
    assert opened.site.store.issues[local].histories[-1].metadata["extraData"] == {"mark": MARK}


@pytest.mark.parametrize("administers", [True, False])
def test_trap30_nobody_is_mailed_where_the_settings_and_jira_say_so(opened: Opened, local: str, administers: bool) -> None:
    if not administers:
        opened.site.deny("ADMINISTER_PROJECTS")
    tracker = opened.open(notify=False)
    tracker.apply(issue_ref(local), Write({"summary": "x"}), MARK)
    (put,) = [seen for seen in opened.site.requests() if seen.method == "PUT"]
    assert put.query.get("notifyUsers") == (["false"] if administers else None)


def test_f110_an_edit_whose_answer_was_lost_is_done_again(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.lose_answer(method="PUT")
    assert tracker.apply(issue_ref(local), Write({"summary": "x"}), MARK) == {"summary": "x"}


def test_f121_the_right_to_edit_is_lost_for_all(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.deny("EDIT_ISSUES")
    with pytest.raises(Unavailable, match="has lost a right in the project ABC: EDIT_ISSUES"):
        tracker.apply(issue_ref(local), Write({"summary": "x"}), MARK)


def test_f121_a_hidden_project_is_not_gone(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.faults.project_hidden = True
    for action in (Write({"summary": "x"}), Remove(), MarkDeleted("globex")):
        with pytest.raises(Unavailable, match="does not see the project ABC any more"):
            tracker.apply(issue_ref(local), action, MARK)
    with pytest.raises(Unavailable, match="does not see the project ABC any more"):
        tracker.read_checkpoint("acme")


def test_what_jira_says_of_one_field_is_told_of_that_field(opened: Opened, tracker: JiraTracker, local: str) -> None:
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({"summary": "x", "Data Sheet": "no address"}), MARK)
    assert caught.value.fields.keys() == {"Data Sheet"}
    assert "Invalid URL" in caught.value.fields["Data Sheet"]
    assert opened.site.store.issues[local].values["summary"] == BASIC["summary"]


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_trap24_who_acts_is_jiras_inward_end(opened: Opened, tracker: JiraTracker, local: str) -> None:
    other = opened.site.person("j.becker").create(BASIC)
    name = link_name("Blocks", other)
    for _ in range(2):
        assert tracker.apply(issue_ref(local), Write({name: True}), MARK) == {name: True}
    ((link,),) = [list(opened.site.store.links.values())]
    assert (link.source, link.target) == (local, other)
    assert writes(opened).count("POST issueLink") == 1


def test_f114_a_link_to_an_issue_that_is_not_there_yet_names_it(opened: Opened, tracker: JiraTracker, local: str) -> None:
    name = link_name("Blocks", "999999")
    with pytest.raises(Rejected) as caught:
        tracker.apply(issue_ref(local), Write({name: True, "summary": "x"}), MARK)
    assert caught.value.fields == {name: "there is no issue 999999"}
    assert writes(opened) == []


# ── comments and worklogs ───────────────────────────────────────────────────────────────────────────────────────────


def test_trap32_a_comment_that_few_may_see_stays_so_when_it_is_edited(opened: Opened, tracker: JiraTracker, local: str) -> None:
    comment = opened.site.person("j.becker").comment(local, "for us", role="Developers")
    ref = Ref(Kind.COMMENT, local, comment)
    assert tracker.apply(ref, Write({"body": "edited"}), MARK) == {"body": "edited"}
    assert opened.site.store.issues[local].comments[0].visibility == {"type": "role", "value": "Developers"}


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.WORKLOG])
def test_trap32_who_alone_may_see_it_is_written_changed_and_taken_away(opened: Opened, local: str, kind: Kind) -> None:
    (us,) = [user for user in opened.site.store.users.values() if user.name == "filesync"]
    us.roles.add("Developers")
    tracker = opened.open()
    work: Flat = {"started": "2026-11-20T08:00:00.000Z", "seconds": "600"} if kind is Kind.WORKLOG else {}
    fields = {name: value for name, value in {**work, "body": "x", "visibility": "role:Developers"}.items() if value}
    born = tracker.create(gid(kind, 1), Draft(kind=kind, issue=local, fields=fields, about=About()))
    assert born.item.fields == fields
    for few in ("role:Administrators", None, "role:Developers"):
        assert tracker.apply(born.item.ref, Write({"visibility": few, "body": f"for {few}"}), MARK) == {
            "visibility": few,
            "body": f"for {few}",
        }
    issue = tracker.get(local)
    assert issue is not None
    assert issue.children[0].fields == {**fields, "body": "for role:Developers"}


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.WORKLOG])
def test_trap32_for_whom_jira_knows_nobody_it_is_refused_by_that_name_and_not_made(
    opened: Opened, local: str, kind: Kind
) -> None:
    tracker = opened.open()
    work = {"started": "2026-11-20T08:00:00.000Z", "seconds": "600"} if kind is Kind.WORKLOG else {}
    for few in ("role:Nobody", "group:nobody", "internal", "service-desk:internal", "role:"):
        draft = Draft(kind=kind, issue=local, fields={**work, "body": "x", "visibility": few}, about=About())
        with pytest.raises(Rejected) as caught:
            tracker.create(gid(kind, 1), draft)
        assert caught.value.fields.keys() == {"visibility"}
    issue = tracker.get(local)
    assert issue is not None
    assert issue.children == ()


def test_trap32_a_service_desk_keeps_from_its_customers_what_is_internal(opened: Opened, local: str) -> None:
    for project in opened.site.store.projects.values():
        project.kind = "service_desk"
    tracker = opened.open()
    inside: Flat = {"visibility": "service-desk:internal"}
    draft = Draft(kind=Kind.COMMENT, issue=local, fields={"body": "x", "visibility": "service-desk:internal"}, about=About())
    born = tracker.create(gid(Kind.COMMENT, 1), draft)
    ref = born.item.ref
    assert born.item.fields == draft.fields
    assert tracker.apply(ref, Write({"body": "y"}), MARK) == {"body": "y"}
    for few in ({"visibility": None}, inside):
        assert tracker.apply(ref, Write(few), MARK) == few
        issue = tracker.get(local)
        assert issue is not None
        (comment,) = issue.children
        assert (comment.fields.get("visibility"), comment.origin) == (few["visibility"], gid(Kind.COMMENT, 1))


def test_trap32_what_our_account_says_of_a_partner_is_not_for_a_service_desks_customers(opened: Opened, local: str) -> None:
    for project in opened.site.store.projects.values():
        project.kind = "service_desk"
    tracker = opened.open()
    tracker.apply(issue_ref(local), MarkDeleted("globex"), MARK)
    tracker.apply(issue_ref(local), MarkScope("globex", Scope.LEFT), MARK)
    said = opened.site.store.issues[local].comments
    assert [one.properties.get("sd.public.comment") for one in said] == [{"internal": True}] * 2
    tracker.apply(issue_ref(local), MarkScope("globex", Scope.IN), MARK)
    assert len(said) == 1


def test_trap40_an_edited_comment_stays_the_same_comment(opened: Opened, tracker: JiraTracker, local: str) -> None:
    about = About(author="Anna", at="2026-11-20T08:00:00.000Z")
    draft = Draft(kind=Kind.COMMENT, issue=local, fields={"body": "hello"}, about=about)
    ref = tracker.create(gid(Kind.COMMENT, 1), draft).item.ref
    tracker.apply(ref, Write({"body": "edited"}), MARK)
    issue = tracker.get(local)
    assert issue is not None
    assert [(one.ref, one.origin, one.fields) for one in issue.children] == [(ref, gid(Kind.COMMENT, 1), {"body": "edited"})]


# ── what is taken away ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_we_may_not_delete_is_refused_and_not_gone(opened: Opened, tracker: JiraTracker, local: str) -> None:
    comment = opened.site.person("j.becker").comment(local, "theirs")
    opened.site.deny("DELETE_ISSUES", "DELETE_ALL_COMMENTS")
    for ref in (issue_ref(local), Ref(Kind.COMMENT, local, comment)):
        with pytest.raises(Rejected, match="is not deleted"):
            tracker.apply(ref, Remove(), MARK)
    assert tracker.get(local) is not None


def test_an_issue_with_sub_tasks_is_refused_by_their_keys(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.person("j.becker").create({"type": "Sub-task", "summary": "below", "parent": local})
    with pytest.raises(Rejected, match="ABC-1 is refused: parent: ABC-2 would lose the issue they belong to"):
        tracker.apply(issue_ref(local), Remove(), MARK)


@pytest.mark.parametrize("lost", [False, True])
def test_that_a_partner_deleted_its_own_is_said_once_and_to_people_here_alone(
    opened: Opened, tracker: JiraTracker, local: str, lost: bool
) -> None:
    comment = opened.site.person("j.becker").comment(local, "hello")
    issue = opened.site.store.issues[local]
    for ref in (issue_ref(local), Ref(Kind.COMMENT, local, comment)):
        if lost:
            opened.site.faults.lose_answer(method="POST", path="/comment$")
        for _ in range(2):
            assert tracker.apply(ref, MarkDeleted("glo[b]ex"), MARK) == {}
    assert [one.body for one in issue.comments] == [
        "hello",
        "_glo\\[b\\]ex has deleted its own of this issue._",
        f"_glo\\[b\\]ex has deleted its own of the comment {comment}._",
    ]
    shown = tracker.get(local)
    assert shown is not None
    assert [one.fields for one in shown.children] == [{"body": "hello"}]
    tracker.apply(issue_ref(local), MarkDeleted("another"), MARK)
    assert len(issue.comments) == 4


@pytest.mark.parametrize("lost", [False, True])
def test_that_a_partner_let_go_of_its_own_is_said_once_and_taken_back(
    opened: Opened, tracker: JiraTracker, local: str, lost: bool
) -> None:
    opened.site.person("j.becker").comment(local, "hello")
    issue = opened.site.store.issues[local]
    for now in (Scope.LEFT, Scope.MOVED):
        if lost:
            opened.site.faults.lose_answer(method="POST", path="/comment$")
        assert tracker.apply(issue_ref(local), MarkScope("glo[b]ex", now), MARK) == {}
    tracker.apply(issue_ref(local), MarkDeleted("glo[b]ex"), MARK)
    assert [one.body.partition(":")[0] for one in issue.comments] == [
        "hello",
        "_glo\\[b\\]ex has let go of this issue",
        "_glo\\[b\\]ex has deleted its own of this issue._",
    ]
    shown = tracker.get(local)
    assert shown is not None
    assert [one.fields for one in shown.children] == [{"body": "hello"}]
    for _ in range(2):
        tracker.apply(issue_ref(local), MarkScope("glo[b]ex", Scope.IN), MARK)
    assert [one.body for one in issue.comments if "let go" in one.body] == []
    assert len(issue.comments) == 2


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_needs_the_right_to_administer_the_project(opened: Opened, tracker: JiraTracker) -> None:
    opened.site.deny("ADMINISTER_PROJECTS")
    with pytest.raises(Unavailable, match="cannot be kept in the project ABC") as caught:
        tracker.write_checkpoint("acme", "here")
    assert "administer the project" in caught.value.hint


def test_a_checkpoint_has_its_size_and_what_others_write_there_says_nothing(opened: Opened, tracker: JiraTracker) -> None:
    with pytest.raises(Rejected, match="32,768 bytes"):
        tracker.write_checkpoint("acme", "x" * 32_768)
    project = opened.site.store.project("ABC")
    assert project is not None
    project.properties["filesync.acme"] = ["not ours"]
    assert tracker.read_checkpoint("acme") is None


def test_what_has_no_id_of_jiras_is_gone_and_never_asked_for(opened: Opened, tracker: JiraTracker, local: str) -> None:
    opened.site.forget_requests()
    for ref in (issue_ref("../1"), Ref(Kind.COMMENT, local, "1?x="), Ref(Kind.ATTACHMENT, local, "x/../y")):
        with pytest.raises(Gone):
            tracker.apply(ref, MarkDeleted("globex"), MARK)
        assert tracker.apply(ref, Remove(), MARK) == {}
    with pytest.raises(Gone):
        list(tracker.fetch(Ref(Kind.ATTACHMENT, local, "x/../y")))
    asked = {seen.path.rpartition("/")[2] for seen in opened.site.requests()}
    assert asked <= {opened.site.store.issues[local].project, "mypermissions"}, "whether our account sees the project"
