"""`filesync why`: where an issue stands with a partner, and the first reason why it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from filesync.errors import ExitCode
from tests.cli.pages import assert_told, commands, type_it
from tests.cli.sites import ROOT, Pair

PAGE = (ROOT / "docs" / "asking.md").read_text()


def test_every_command_of_the_page_shows_and_ends_as_the_page_says(pair: Pair) -> None:
    typed = list(commands(PAGE))
    assert typed
    for one in typed:
        assert_told(one, *type_it(one, pair.folder, {}))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def asked(pair: Pair, key: str, *, at: str = "acme") -> dict[str, Any]:
    """The one exchange of the answer."""
    status, answer, err = (pair.at_acme if at == "acme" else pair.at_globex)("why", key, "--json")
    assert (status, err) == (ExitCode.DONE, ""), err
    (one,) = answer["exchanges"]
    assert isinstance(one, dict)
    return one


def fields(answer: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["field"]: (one["standing"], one["why"]) for one in answer["fields"]}


@pytest.fixture
def shared(pair: Pair) -> Pair:
    """ABC-1, and a comment of it, are at both sites, and acme has heard that."""
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("issue", "comment", "ABC-1", "Hot")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    return pair


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_f114_what_was_never_sent_says_so_and_what_to_do(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    before = _bytes(pair.folder)
    status, out, _ = pair.at_acme("why", "ABC-1")
    assert status == ExitCode.DONE
    assert "not sent: it was not sent yet: nothing was ever exported on this exchange." in out
    assert "hint: filesync export --exchange main" in out
    assert "  summary: to be sent\n" in out
    assert _bytes(pair.folder) == before


def test_f113_what_was_sent_names_its_bundles_and_whether_they_are_applied(shared: Pair) -> None:
    one = asked(shared, "abc-1")
    assert (one["known"], one["reason"], one["first"]["bundle"], one["sent"]["bundle"]) == (True, "", 1, 1)
    assert not one["acknowledged"]
    assert set(fields(one).values()) == {("agreed", "")}
    assert one["below"] == {"comment": {"agreed": 1}}
    shared.at_globex("export")
    for report in (shared.folder / "globex" / "outbox").iterdir():
        (shared.folder / "acme" / "inbox" / report.name).write_bytes(report.read_bytes())
    shared.at_acme("import")
    assert asked(shared, "ABC-1")["acknowledged"]
    assert "last sent   bundle 1, 2" in shared.at_acme("why", "ABC-1")[1]


def test_the_receiver_knows_it_by_the_partners_key_and_by_its_gid(shared: Pair) -> None:
    _, answer, _ = shared.at_globex("why", "ABC-1@acme", "--json")
    assert (answer["key"], answer["home"], answer["kind"]) == ("ABC-1", "acme", "issue")
    assert answer["exchanges"][0]["theirs"] == "ABC-1"
    assert shared.at_globex("why", answer["gid"], "--json")[1] == answer
    assert answer["exchanges"][0]["taken"]["bundle"] == 1


def test_a_comment_is_asked_for_by_its_id(shared: Pair) -> None:
    shared.at_acme("issue", "comment", "ABC-1", "Hotter", "--edit", "1")
    status, answer, _ = shared.at_acme("why", "ABC-1#1", "--json")
    assert (status, answer["key"], answer["kind"]) == (ExitCode.DONE, "ABC-1#1", "comment")
    assert fields(answer["exchanges"][0]) == {"body": ("to be sent", "")}
    assert asked(shared, "ABC-1")["below"] == {"comment": {"to be sent": 1}}
    status, _, err = shared.at_acme("why", "ABC-1#9")
    assert status == ExitCode.USAGE
    assert "ABC-1 has no comment 9" in err
    assert "There are: 1." in err


def test_what_a_field_cannot_say_is_named_with_its_reason(shared: Pair) -> None:
    edit(shared.folder / "acme" / "contract.yaml", "Highest, ", "")
    shared.at_acme("issue", "edit", "ABC-1", "--field", "priority=Highest", "--field", "summary=Pump overheats")
    found = fields(asked(shared, "ABC-1"))
    assert found["priority"] == ("stays here", 'the contract has no option "Highest"')
    assert found["summary"] == ("to be sent", "")
    assert found["type"] == ("agreed", "")


def test_a_type_that_the_contract_does_not_have_is_the_reason(pair: Pair) -> None:
    edit(pair.folder / "acme" / "contract.yaml", "types: [", "types: [Chore, ")
    mapping = pair.folder / "acme" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + "\ntypes: {Chore: Chore}\n")
    edit(pair.folder / "acme" / "contract.yaml", "Bug", "Defect")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    one = asked(pair, "ABC-1")
    assert one["reason"].startswith("issues of its type are not exchanged: ")
    assert not one["known"]


def test_out_of_scope_says_what_would_let_it_in(pair: Pair) -> None:
    edit(pair.acme, "    path: state/tracker.db\n", "    path: state/tracker.db\n    scope: {labels: [shared]}\n")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    assert asked(pair, "ABC-1")["reason"].startswith("the issue is not in the scope that this site sends")


def test_that_an_issue_left_the_scope_is_said_at_both_sides(shared: Pair) -> None:
    edit(shared.acme, "    path: state/tracker.db\n", "    path: state/tracker.db\n    scope: {labels: [shared]}\n")
    mapping = shared.folder / "acme" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + "\nleaving: {out: tell}\n")
    shared.at_acme("export")
    assert "globex is told once another export finds it so" in asked(shared, "ABC-1")["reason"]
    shared.at_acme("export")
    assert asked(shared, "ABC-1")["reason"].endswith("globex was told.")
    shared.deliver(*shared.sent())
    shared.at_globex("import")
    assert "acme does not send its own any more: it is not in their scope any more" in shared.at_globex("why", "ABC-1")[1]
    shared.at_acme("issue", "delete", "ABC-1")
    shared.at_acme("export")
    shared.deliver(*shared.sent())
    shared.at_globex("import")
    out = shared.at_globex("why", "ABC-1")[1]
    assert "each side keeps its own" in out
    assert "edits made here still go there" not in out


def test_a_paused_exchange_is_the_reason_why_edits_stand_still(shared: Pair) -> None:
    shared.at_acme("pause", "--reason", "move")
    out = shared.at_acme("why", "ABC-1")[1]
    assert "stands still: the exchange is paused since " in out
    assert "hint: Go on with: filesync resume --exchange main" in out


def test_rules_that_cannot_be_used_are_the_reason_and_the_rest_is_told(shared: Pair) -> None:
    (shared.folder / "acme" / "contract.yaml").write_text("version: 1\n")
    one = asked(shared, "ABC-1")
    assert one["reason"].startswith("its rules cannot be used: ")
    assert one["sent"]["bundle"] == 1


def test_what_is_refused_is_found_by_the_partners_key_with_what_to_do(pair: Pair) -> None:
    mapping = pair.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + "\ntypes: {Fault: Bug}\n")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    status, out, _ = pair.at_globex("why", "ABC-1")
    assert status == ExitCode.DONE
    assert "ABC-1: issue, made at acme; not in our tracker\n" in out
    assert "it came from acme and is not made here yet" in out
    assert "stuck since" in out
    assert "filesync stuck retry 0001.0000000001.000001" in out
    assert "\n  type: stuck: " in out


def test_two_edits_that_met_are_named(shared: Pair) -> None:
    shared.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    shared.at_globex("issue", "edit", "ABC-1", "--field", "summary=Bearing too hot")
    shared.at_acme("export")
    shared.deliver(shared.sent()[-1])
    shared.at_globex("import")
    out = shared.at_globex("why", "ABC-1")[1]
    assert "summary was edited here, and not sent yet when theirs came; acme's value stands" in out
    assert "Bearing" not in out


@pytest.mark.parametrize("key", ["ABC-9", "ABC-9@globex", "x", "", f"{'0' * 8}-0000-0000-0000-{'0' * 12}/issue/1/1"])
def test_what_is_not_here_ends_with_2_and_says_what_may_be_asked(pair: Pair, key: str) -> None:
    status, out, err = pair.at_acme("why", key)
    assert (status, out) == (ExitCode.USAGE, "")
    assert "a comment's (ABC-17#4), or a gid" in err


def test_what_was_deleted_is_known_by_the_key_that_was_told(pair: Pair) -> None:
    for site in ("acme", "globex"):
        edit(pair.folder / site / "contract.yaml", "# keys: true", "keys: true")
    pair.at_globex("issue", "create", "--type", "Bug", "--summary", "there, ABC-1 is another")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.at_globex("export")
    for file in (pair.folder / "globex" / "outbox").iterdir():
        file.rename(pair.folder / "acme" / "inbox" / file.name)
    pair.at_acme("import")
    gid = pair.at_acme("why", "ABC-1", "--json")[1]["gid"]
    assert pair.at_acme("why", "ABC-2@globex", "--json")[1]["gid"] == gid
    pair.at_acme("issue", "delete", "ABC-1")
    assert "  delete ABC-2 at globex\n" in pair.at_acme("preview", "export")[1]
    for reason in ("it is not in our tracker any more; the next export tells", "it was deleted"):
        answer = pair.at_acme("why", "ABC-2@globex", "--json")[1]
        assert (answer["gid"], answer["key"], answer["here"]) == (gid, "ABC-2", False)
        assert answer["exchanges"][0]["reason"].startswith(reason)
        pair.at_acme("export")
    assert pair.at_globex("issue", "delete", "ABC-2")[0] == ExitCode.DONE
    answer = pair.at_globex("why", "ABC-2", "--json")[1]
    assert (answer["gid"], answer["key"], answer["here"]) == (gid, "ABC-2", False)
    assert answer["exchanges"][0]["theirs"] == "ABC-1"


def test_a_deletion_is_told_by_gid(shared: Pair) -> None:
    gid = shared.at_acme("why", "ABC-1", "--json")[1]["gid"]
    shared.at_acme("issue", "delete", "ABC-1")
    assert asked(shared, gid)["reason"].startswith("it is not in our tracker any more; the next export tells the deletion")
    shared.at_acme("export")
    assert asked(shared, gid)["reason"].startswith("it was deleted")


def test_a_field_that_a_constant_tells_is_shown_once_with_its_reason(pair: Pair) -> None:
    with (pair.folder / "acme" / "mapping.yaml").open("a") as mapping:
        mapping.write("constants: {severity: Minor}\n")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump", "--field", "severity=Major")
    for standing in ("to be sent", "agreed"):
        out = pair.at_acme("why", "ABC-1")[1]
        assert f"  severity: {standing}: our mapping has a constant for it" in out
        assert out.count("severity") == 1
        pair.at_acme("export")


def test_an_import_says_which_issues_it_marked_as_deleted(shared: Pair) -> None:
    shared.at_acme("issue", "delete", "ABC-1")
    shared.at_acme("export")
    shared.deliver(shared.sent()[-1])
    assert "1 issue marked as deleted by acme: ABC-1\n" in shared.at_globex("import")[1]
