"""What a Jira tells of its screens, roles and groups before anything comes that needs them."""

from __future__ import annotations

from pathlib import Path

from tests.support.jira.site import CLOUD, DC10
from tests.trackers.jira.scene import Opened, jira

FEW = ("role:Developers", "role:Administrators", "role:Develpers", "group:jira-software-users", "group:staff")
BELONG = "whether our account is in the roles and groups that `visibilities` names"


def before(types: str) -> str:
    return f"which fields can be edited of {types}, before there is one that can"


def account(opened: Opened) -> None:
    """Ours, in one role less."""
    opened.site.store.person("filesync").roles.discard("Administrators")


def test_a_cloud_tells_what_can_be_edited_and_to_whom_a_comment_can_be_kept(tmp_path: Path) -> None:
    with jira(CLOUD, tmp_path) as opened:
        account(opened)
        opened.site.person("a.lindqvist").create({"type": "Bug", "summary": "one"})
        found = opened.open().inspect(("Bug", "Task"), (*FEW, "service-desk:internal", "partners"))
        looping = opened.open(transitions={"Done -> Done": {"writes": ["resolution"]}}).inspect(("Bug",), ())
    assert found.edits.keys() == {"Bug"}
    assert {"type", "status", "parent", "summary", "description", "original_estimate"} <= found.edits["Bug"]
    assert "resolution" not in found.edits["Bug"]
    assert "resolution" in looping.edits["Bug"]
    assert found.unsure == (before('"Task"'),)
    belongs = "Jira keeps nothing to those to whom its author does not belong"
    assert found.few == {
        "partners": "stands for nobody in a Jira: name a role (role:NAME), a group (group:NAME) or service-desk:internal for it",
        "service-desk:internal": "the project is no service desk's",
        "role:Administrators": f'our account is not in the role "Administrators": {belongs}',
        "role:Develpers": 'the project has no role "Develpers"; did you mean "Developers"?',
        "group:staff": f'our account is not in the group "staff": {belongs}',
    }


def test_of_groups_that_a_cloud_does_not_list_nobody_knows_whether_our_account_is_in_them(tmp_path: Path) -> None:
    with jira(CLOUD, tmp_path) as opened:
        opened.site.faults.most_groups = 0
        found = opened.open().inspect((), ("group:staff",))
    assert found.few == {}
    assert found.unsure == ('all groups that our account is in: "group:staff" may be among the others',)


def test_a_data_center_tells_the_names_of_roles_and_not_who_is_in_them(tmp_path: Path) -> None:
    with jira(DC10, tmp_path) as opened:
        account(opened)
        opened.site.person("a.lindqvist").create({"type": "Bug", "summary": "one"})
        opened.site.faults.refuse(403, path="editmeta", body="{}")
        tracker = opened.open()
        found = tracker.inspect(("Bug",), FEW)
        assert (found.edits, found.unsure) == ({}, (before('"Bug"'), BELONG))
        assert found.few.keys() == {"role:Develpers"}
        again = tracker.inspect(("Bug",), ())
    assert [*again.edits, *again.few, *again.unsure] == ["Bug"]
