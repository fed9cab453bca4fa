"""Who a Jira's users are: each asked for once, and only addresses that Jira shows as they are."""

from __future__ import annotations

from dataclasses import replace

from filesync.trackers.jira.tracker import JiraTracker
from tests.support.jira.records import User
from tests.trackers.jira.scene import Opened


def user(opened: Opened, name: str) -> User:
    (found,) = [one for one in opened.site.store.users.values() if one.name == name]
    return found


def called(opened: Opened, name: str) -> str:
    """What fields hold for a user."""
    found = user(opened, name)
    return found.account if opened.site.flavour.cloud else found.name


def without_list(tracker: JiraTracker) -> None:
    """As where the project's list of users does not hold them: some have left, others are too many."""
    project = tracker._project
    project.catalogue = replace(project.catalogue, users={}, addresses={})


def test_a_user_is_found_by_the_address_that_jira_shows_and_it_by_the_user(opened: Opened) -> None:
    user(opened, "j.becker").email_hidden = False
    tracker, anna = opened.open(), called(opened, "j.becker")
    for again in (False, True):
        if again:
            without_list(tracker)
        people = tracker.people
        assert (people.address(anna), people.at("j.becker@example.com")) == ("j.becker@example.com", (anna,))
        assert (people.knows(anna), people.knows("nobody"), people.at("nobody@example.com")) == (True, False, ())
    opened.site.forget_requests()
    assert people.address(anna)
    assert people.at("j.becker@example.com")
    assert not people.knows("nobody")
    assert opened.site.requests() == []


def test_of_one_who_hides_his_address_or_masks_it_nothing_is_told(opened: Opened) -> None:
    masked = user(opened, "j.becker")
    masked.email, masked.email_hidden = "j.becker at example dot com", False
    user(opened, "t.weber").email_hidden = True
    tracker = opened.open()
    without_list(tracker)
    for name in ("j.becker", "t.weber"):
        assert tracker.people.knows(called(opened, name))
        assert tracker.people.address(called(opened, name)) == ""
    assert tracker.people.at("t.weber@example.com") == ()


def test_a_name_in_other_letters_is_nobodys(opened: Opened) -> None:
    assert not opened.open().people.knows("J.BECKER")
