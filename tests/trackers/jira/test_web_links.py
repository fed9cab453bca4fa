"""Links to elsewhere: apart from the fields in Jira, and one of them here, where the settings want it."""

from __future__ import annotations

import pytest

from filesync.config import template
from filesync.errors import Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About
from filesync.model.values import Flat
from filesync.trackers.base import Draft, Write
from filesync.trackers.jira.tracker import JiraTracker
from filesync.trackers.jira.translate.webs import link_json
from tests.support.jira.records import RemoteLink
from tests.support.jira.site import CLOUD, DC9
from tests.support.jira_sides import JiraSide, calm, two_trackers
from tests.trackers.bench import BASIC, MARK, gid, issue_ref
from tests.trackers.jira.scene import Opened

DRAWING, PAGE = "web_links:https://x.example/7?a=b:c Drawing 7", "web_links:https://x.example/plain"


@pytest.fixture
def tracker(opened: Opened) -> JiraTracker:
    return opened.open(web_links=True)


def there(tracker: JiraTracker, local: str) -> set[str]:
    found = tracker.get(local)
    assert found is not None
    return {name for name in found.item.fields if name.startswith("web_links:")}


def test_web_links_are_made_once_and_taken_away(opened: Opened, tracker: JiraTracker) -> None:
    born = tracker.create(gid(Kind.ISSUE, 1), Draft(kind=Kind.ISSUE, issue=None, fields={**BASIC, PAGE: True}, about=About()))
    ref = born.item.ref
    assert there(tracker, ref.local) == set()  # written afterwards, as all that is on no screen
    both: Flat = {DRAWING: True, PAGE: True}
    assert tracker.apply(ref, Write({**both, "summary": "x"}), MARK) == {**both, "summary": "x"}
    assert tracker.apply(ref, Write(both), MARK) == both
    assert there(tracker, ref.local) == {DRAWING, PAGE}
    assert len(opened.site.store.issues[ref.local].remote_links) == 2
    assert tracker.apply(ref, Write({DRAWING: None}), MARK) == {DRAWING: None}
    assert there(tracker, ref.local) == {PAGE}
    assert dict(tracker.get_all([ref.local])).keys() == {ref.local}


def test_what_people_linked_is_read_and_what_applications_keep_is_not(opened: Opened, tracker: JiraTracker) -> None:
    local = opened.site.person("j.becker").create(BASIC)
    links = opened.site.store.issues[local].remote_links
    links.append(RemoteLink("501", {"object": {"url": "https://x.example/a b", "title": " two\n lines "}, "application": {}}))
    kept = {"object": {"url": "https://wiki.example/1", "title": "Page"}, "application": {"type": "com.atlassian.confluence"}}
    links.append(RemoteLink("502", kept))
    assert there(tracker, local) == {"web_links:https://x.example/a%20b two lines"}
    tracker.apply(issue_ref(local), Write({"web_links:https://x.example/a%20b two lines": None}), MARK)
    assert [one.id for one in links] == ["502"]


def test_an_issue_is_read_without_them_unless_the_settings_want_them(opened: Opened) -> None:
    tracker, local = opened.open(), opened.site.person("j.becker").create(BASIC)
    opened.site.forget_requests()
    tracker.get(local)
    assert [one.path for one in opened.site.requests() if "remotelink" in one.path] == []
    assert "web_links" not in {one.name for one in tracker.describe().fields}


@pytest.mark.parametrize("bad", ["no address", "https://x.example/7  two blanks", "https://x.example/" + "x" * 2_000])
def test_what_is_no_web_link_is_refused_before_anything_is_written(opened: Opened, tracker: JiraTracker, bad: str) -> None:
    local = opened.site.person("j.becker").create(BASIC)
    with pytest.raises(Rejected) as refused:
        tracker.apply(issue_ref(local), Write({f"web_links:{bad}": True, "summary": "x"}), MARK)
    assert list(refused.value.fields) == [f"web_links:{bad}"]
    with pytest.raises(ValueError, match=r"address|blank"):
        link_json(bad)


def test_web_links_travel_from_one_jira_to_another_and_back() -> None:
    text = template("contract.yaml").replace("  serial_numbers:", "  web_links: {kind: text, many: true}\n  serial_numbers:")
    with two_trackers((DC9, CLOUD), text=text, settings="web_links: true") as world:
        acme, globex = world.sides
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        local = acme.desk.create("Task", "with a drawing")
        made = acme.jira.store.issues[local].remote_links
        made.append(RemoteLink("501", {"object": {"url": "https://x.example/7", "title": "Drawing 7"}}))
        world.clock.advance(minutes=5)
        world.round()
        (there,) = (one for one in globex.jira.store.issues.values() if one.remote_links)
        assert there.remote_links[0].body["object"] == {"url": "https://x.example/7", "title": "Drawing 7"}
        there.remote_links[0] = RemoteLink("502", {"object": {"url": "https://x.example/8", "title": "Drawing 8"}})
        calm(world)  # the sweep finds it
        assert [one.body["object"]["title"] for one in made] == ["Drawing 8"]
