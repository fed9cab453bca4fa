"""A real little tracker in one SQLite file: for trying filesync out, for sites without a Jira, and for the tests."""

from filesync.trackers.embedded.check import VISIBILITY
from filesync.trackers.embedded.desk import Desk, Link, Page, Shown
from filesync.trackers.embedded.project import Definition, read_definition
from filesync.trackers.embedded.store import create_project
from filesync.trackers.embedded.tracker import EmbeddedTracker

__all__ = ["VISIBILITY", "Definition", "Desk", "EmbeddedTracker", "Link", "Page", "Shown", "create_project", "read_definition"]
