"""The obligations of filesync/trackers/base.py as tests. Every adapter's test module inherits them and gives a `bench`.

A pytest class `class TestMine(TrackerContract)` and a fixture `bench` that makes a `bench.Bench` are all an adapter needs.
"""

from __future__ import annotations

from tests.trackers.contract_files import FilesContract
from tests.trackers.contract_links import LinksContract
from tests.trackers.contract_reading import ReadingContract
from tests.trackers.contract_writing import ApplyContract, CreateContract, ThreadsContract


class TrackerContract(LinksContract, ReadingContract, CreateContract, ApplyContract, ThreadsContract, FilesContract):
    """All of it."""
