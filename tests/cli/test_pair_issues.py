"""`pair-issues`, as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import Pair


@pytest.fixture
def told(pair: Pair) -> Pair:
    """Two issues at both sites, and acme's lie in globex's inbox."""
    for side in (pair.at_acme, pair.at_globex):
        for summary in ("Pump", "Seal"):
            side(
                "issue", "create", "--type", "Bug", "--summary", f"{summary} of {'acme' if side == pair.at_acme else 'globex'}"
            )
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    return pair


def test_what_would_be_tied_is_shown_then_tied_and_nothing_doubles(told: Pair) -> None:
    status, out, _ = told.at_globex("pair-issues", "--by-key", "--stands", "theirs")
    assert status == ExitCode.DONE
    assert out.startswith("ABC-1 = ABC-1 at acme, differ in summary\n")
    assert out.endswith("2 issues would be tied, with --apply; 0 issues of acme will be new here\n")
    status, found, _ = told.at_globex("pair-issues", "--by-key", "--stands", "theirs", "--apply", "--json")
    assert (found["tied"], found["alone"], [one["theirs"] for one in found["issues"]]) == (True, 0, ["ABC-1", "ABC-2"])
    told.at_globex("import")
    assert "What was imported already cannot be tied" in told.at_globex("pair-issues", "--by-key", "--stands", "theirs")[1]
    assert told.at_globex("issue", "list")[1].count("of acme") == 2
    assert told.at_globex("export", "--json")[1]["main"]["bundles"] == 0
    assert "2 issues of ours are the same as at acme, and will not be made twice" in told.at_globex("log")[1]


def test_no_text_of_the_partners_is_among_the_fields_that_differ(pair: Pair) -> None:
    for side in (pair.at_acme, pair.at_globex):
        side("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("issue", "edit", "ABC-1", "--field", "labels=\x1b[31mred,green")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    out = pair.at_globex("pair-issues", "--by-key", "--stands", "theirs")[1]
    assert out.splitlines()[0] == "ABC-1 = ABC-1 at acme, differ in labels"


def test_a_table_of_keys_is_read_and_what_is_wrong_with_it_told_at_once(told: Pair, tmp_path: Path) -> None:
    table = tmp_path / "same.csv"
    table.write_text("ours,theirs\nABC-1,ABC-2\nABC-2,\nABC-1,ABC-1\n", encoding="utf-8-sig")
    status, _, err = told.at_globex("pair-issues", "--csv", table, "--stands", "ours")
    assert status == ExitCode.CONFIG
    assert "same.csv:3: a line names a key of ours and one of theirs" in err
    assert "same.csv:4: ABC-1 stands there twice" in err
    table.write_text("our key;theirs\nABC-1;ABC-2\n")
    err = told.at_globex("pair-issues", "--csv", table, "--stands", "ours")[2]
    assert "same.csv:1: names no column ours" in err
    assert "Its first line is: ours;theirs" in err
    table.write_text("ours; theirs\nABC-1;ABC-2\n")
    status, out, _ = told.at_globex("pair-issues", "--csv", table, "--stands", "ours")
    assert (status, out.splitlines()[0]) == (ExitCode.DONE, "ABC-1 = ABC-2 at acme, differ in summary")
    assert "1 issue would be tied, with --apply; 1 issue of acme will be new here" in out
    table.write_text("ours,theirs\nABC-1,ABC-2\nABC-2,ABC-20\nABC-10,ABC-1\n")
    status, out, _ = told.at_globex("pair-issues", "--csv", table, "--stands", "ours")
    assert status == ExitCode.WORK_LEFT
    assert out.splitlines()[1:3] == [
        "ABC-2: the partner tells of no ABC-20 that is new here",
        "ABC-10: there is no such issue here, or it is not in scope",
    ]


def test_what_cannot_be_meant_is_said(told: Pair) -> None:
    assert "say one of --by-key" in told.at_globex("pair-issues", "--stands", "ours")[2]
    status, _, err = told.at_globex("pair-issues", "--by-field", "nosuch", "--stands", "ours")
    assert (status, "the contract has no field 'nosuch'" in err) == (ExitCode.USAGE, True)
    for name in ("labels", "location"):
        status, _, err = told.at_globex("pair-issues", "--by-field", name, "--stands", "ours")
        assert (status, f"{name} does not hold one word" in err) == (ExitCode.USAGE, True)
    status, out, _ = told.at_acme("pair-issues", "--by-key", "--stands", "ours")
    assert (status, "Nothing of globex has come yet" in out) == (ExitCode.NOTHING, True)


def test_what_would_stand_here_twice_is_counted_in_the_last_line(pair: Pair) -> None:
    for side, times in ((pair.at_acme, 1), (pair.at_globex, 2)):
        for _ in range(times):
            side("issue", "create", "--type", "Bug", "--summary", "Pump", "--field", "customer_reference=R-1")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    status, out, _ = pair.at_globex("pair-issues", "--by-field", "customer_reference", "--stands", "ours", "--apply")
    assert status == ExitCode.WORK_LEFT
    assert out.splitlines()[0] == "ABC-1: we have several of R-1 (ABC-1 at the partner)"
    assert out.splitlines()[-1].startswith("Of these 1 issue would stand here twice")
