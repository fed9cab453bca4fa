"""The contract again, over Jiras that answer as no example does.

Unknown keys everywhere, ids as numbers, nulls left out, pages of three, comments cut off, URLs of another host, an account
far from Greenwich, a Jira that does not stand at the root of its host.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filesync.trackers.base import Write
from tests.support.jira.site import CLOUD, DC9, JiraSite
from tests.trackers.bench import MARK, Bench
from tests.trackers.contract import TrackerContract
from tests.trackers.jira.scene import Opened
from tests.trackers.jira.test_contract import bench  # noqa: F401 (a fixture)


@pytest.fixture(params=[DC9, CLOUD], ids=lambda flavour: flavour.name)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with JiraSite(request.param, context="/jira", account_zone="America/St_Johns") as site:
        site.faults.harden()
        opened = Opened(site, tmp_path)
        yield opened
        opened.close()


class TestHardJira(TrackerContract):
    """The contract."""


@pytest.mark.parametrize("opened", [CLOUD], indirect=True)
def test_what_lands_is_what_the_editor_made_of_it(opened: Opened, bench: Bench) -> None:  # noqa: F811 (the fixture)
    opened.site.faults.wiki_round_trip = True
    born = bench.create({"description": "one  \ntwo\n\n"})
    assert born.item.fields["description"] == "one\ntwo"
    said = bench.create_comment(born.item.ref.local, "three \n\n")
    assert said.item.fields["body"] == "three"
    landed = bench.tracker.apply(born.item.ref, Write({"description": "four\t\nfive"}), MARK)
    assert landed == {"description": "four\nfive"}
    assert bench.fields(born.item.ref.local)["description"] == "four\nfive"
