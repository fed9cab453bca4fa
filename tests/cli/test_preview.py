"""`filesync preview`: it says what an export or import then does, and changes nothing."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import Pair


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and the time of its last change."""
    return {
        str(one.relative_to(folder)): (one.read_bytes(), one.stat().st_mtime_ns) for one in folder.rglob("*") if one.is_file()
    }


def previewed(pair: Pair, at: Callable[..., tuple[int, Any, str]], what: str, *, status: int = ExitCode.DONE) -> dict[str, Any]:
    """The one exchange of the answer, for which nothing was touched."""
    before = everything(pair.folder)
    ended, answer, err = at("preview", what, "--json")
    assert (ended, err) == (status, ""), err
    assert everything(pair.folder) == before
    (one,) = answer.values()
    assert isinstance(one, dict)
    return one


def of(one: dict[str, Any], deed: str) -> dict[str, dict[str, Any]]:
    """What would be done so, by key and kind: its new values."""
    return {
        f"{item['kind']} {item['key']}": {edit["field"]: edit["new"] for edit in item.get("edits", [])}
        for item in one["items"]
        if item["deed"] == deed
    }


@pytest.fixture
def sent(pair: Pair) -> Pair:
    """Two issues, one under the other, with a comment, an attachment and a link, have come to globex's inbox."""
    pair.at_acme("issue", "create", "--type", "Epic", "--summary", "Pumps")
    pair.at_acme(
        "issue", "create", "--type", "Bug", "--summary", "Pump <hot>", "--parent", "ABC-1", "--field", "priority=Highest"
    )
    pair.at_acme("issue", "transition", "ABC-2", "In Progress")
    pair.at_acme("issue", "comment", "ABC-2", "since noon, as in ABC-1")
    (pair.folder / "note.txt").write_text("hot")
    pair.at_acme("issue", "attach", "ABC-2", pair.folder / "note.txt")
    pair.at_acme("issue", "link", "ABC-1", "blocks", "ABC-2")
    told = previewed(pair, pair.at_acme, "export")
    assert told["would"] == {"create": 4}
    made = of(told, "create")
    assert made["issue ABC-2"]["summary"] == "Pump <hot>"
    assert made["attachment ABC-2"]["name"] == "note.txt"
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    return pair


def test_f48_an_import_is_shown_before_it_is_done_and_does_just_that(sent: Pair) -> None:
    one = previewed(sent, sent.at_globex, "import")
    assert one["would"] == {"create": 4, "change": 1}
    made = of(one, "create")
    assert made["issue new 2"] | {"status": "In Progress", "priority": "Highest", "parent": "new1"} == made["issue new 2"]
    assert made["comment new 2"] == {"body": "since noon, as in new 1"}
    assert of(one, "change") == {"issue new 1": {"link:blocks:new2": True}}
    assert sent.at_globex("import")[0] == ExitCode.DONE
    assert len(sent.at_globex("issue", "list", "--json")[1]) == 2
    assert previewed(sent, sent.at_globex, "import", status=ExitCode.NOTHING)["items"] == []


def test_what_would_change_shows_old_and_new_and_what_would_go(sent: Pair) -> None:
    sent.at_globex("import")
    sent.at_acme("issue", "edit", "ABC-2", "--field", "summary=Pump overheats")
    sent.at_acme("issue", "edit", "ABC-2", "--field", "assignee=t.weber")
    sent.at_acme("issue", "comment", "ABC-2", "--delete", "1")
    assert of(previewed(sent, sent.at_acme, "export"), "change") == {
        "issue ABC-2": {"summary": "Pump overheats", "assignee": "t.weber"}
    }
    sent.at_acme("export")
    sent.deliver(*sent.sent())
    before = everything(sent.folder)
    status, out, _ = sent.at_globex("preview", "import")
    assert status == ExitCode.DONE
    assert "    summary: Pump <hot> -> Pump overheats\n" in out
    assert "    assignee: -> Tobias Weber (t.weber)\n" in out
    assert "  delete comment of ABC-2\n" in out
    assert "  1 changed, 1 deleted\n" in out
    assert everything(sent.folder) == before


def test_issues_are_named_by_their_keys_where_others_point_at_them_and_where_what_was_of_them_is_deleted(sent: Pair) -> None:
    told = sent.at_globex("preview", "import")[1]
    assert "    parent: new 1\n" in told
    assert "    link:blocks:new 2: -> yes\n" in told
    sent.at_globex("import")
    sent.at_acme("issue", "create", "--type", "Epic", "--summary", "Valves")
    sent.at_acme("issue", "edit", "ABC-2", "--field", "parent=ABC-3")
    sent.at_acme("issue", "link", "ABC-2", "blocks", "ABC-1")
    sent.at_acme("issue", "comment", "ABC-2", "--delete", "1")
    told = sent.at_acme("preview", "export")[1]
    assert "    parent: -> ABC-3\n" in told
    assert "    link:blocks:ABC-1: -> yes\n" in told
    assert "  delete comment of ABC-2\n" in told
    assert "/issue/" not in told


def test_what_stays_is_refused_or_meets_an_edit_is_said_with_its_reason(sent: Pair) -> None:
    mapping = sent.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + "\nfields: {priority: {field: priority, options: {Highest: High}}}\n")
    one = previewed(sent, sent.at_globex, "import", status=ExitCode.WORK_LEFT)
    assert any(event["event"] == "Stuck" for event in one["events"])
    sent.at_globex("import")
    sent.at_acme("issue", "edit", "ABC-1", "--field", "summary=ours")
    sent.at_globex("issue", "edit", "ABC-1", "--field", "summary=theirs")
    sent.at_acme("export")
    sent.deliver(*sent.sent())
    one = previewed(sent, sent.at_globex, "import")
    assert [event["field"] for event in one["events"] if event["event"] == "Met"] == ["summary"]


def test_bundles_that_are_held_are_rehearsed_with_the_one_that_is_missing(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    (first,) = pair.sent()
    pair.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    pair.at_acme("export")
    (second,) = set(pair.sent()) - {first}
    pair.deliver(second)
    pair.at_globex("import")
    assert previewed(pair, pair.at_globex, "import", status=ExitCode.WORK_LEFT)["items"] == []
    pair.deliver(first)
    one = previewed(pair, pair.at_globex, "import")
    assert "Pump overheats" in [
        edit["summary"] for edit in [*of(one, "create").values(), *of(one, "change").values()] if "summary" in edit
    ]


def test_a_damaged_file_is_named_and_lies_where_it_lay(sent: Pair) -> None:
    for file in (sent.folder / "globex" / "inbox").glob("fs1_*"):
        file.write_bytes(file.read_bytes()[:-100])
    one = previewed(sent, sent.at_globex, "import", status=ExitCode.WORK_LEFT)
    assert {event["event"] for event in one["events"]} == {"Arriving"}
    assert one["items"] == []


def test_the_page_holds_all_of_it_and_no_text_is_markup(sent: Pair) -> None:
    page = sent.folder / "page.html"
    status, out, _ = sent.at_globex("preview", "import", "--html", page)
    assert (status, out) == (ExitCode.DONE, f"written to {page}\n")
    again = sent.at_globex("preview", "import", "--html", page)
    assert again[:2] == (ExitCode.DONE, f"written to {page}, which was there and is replaced\n")
    text = page.read_text()
    assert html.escape("Pump <hot>") in text
    assert "<hot>" not in text
    assert "What an import at globex would do" in text
    assert "<script" not in text
    assert page.stat().st_mode & 0o077 == 0


def test_a_large_first_import_waits_for_a_person(sent: Pair) -> None:
    text = sent.globex.read_text()
    sent.globex.write_text(text.replace("first_import: 500", "first_import: 1"))
    for verb in (("import",), ("run", "--once"), ("import",)):
        status, out, err = sent.at_globex(*verb)
        assert status == ExitCode.WORK_LEFT, out + err
        assert "would make 2 issues here, more than limits.first_import (1)" in err
    assert sent.at_globex("issue", "list", "--json")[1] == []
    assert "FIRST IMPORT: it would make 2 issues; see: filesync preview import" in sent.at_globex("status")[1]
    assert previewed(sent, sent.at_globex, "import")["would"]["create"] == 4
    assert sent.at_globex("import", "--first")[0] == ExitCode.DONE
    assert len(sent.at_globex("issue", "list", "--json")[1]) == 2
    assert "FIRST IMPORT" not in sent.at_globex("status")[1]


def test_a_first_import_at_the_limit_is_not_asked_for_nor_a_later_one(sent: Pair) -> None:
    text = sent.globex.read_text()
    sent.globex.write_text(text.replace("first_import: 500", "first_import: 2"))
    assert sent.at_globex("import")[0] == ExitCode.DONE
    for _ in range(3):
        sent.at_acme("issue", "create", "--type", "Bug", "--summary", "one more")
    sent.at_acme("export")
    sent.deliver(*sent.sent())
    assert sent.at_globex("import")[0] == ExitCode.DONE
    assert len(sent.at_globex("issue", "list", "--json")[1]) == 5


def test_a_contract_that_would_come_into_force_does_not_by_a_rehearsal(sent: Pair) -> None:
    sent.at_globex("import")
    new = sent.folder / "new.yaml"
    new.write_text(
        (sent.folder / "acme" / "contract.yaml").read_text().replace("version: 1", "version: 2").replace("Highest, ", "")
    )
    assert sent.at_acme("contract", "propose", new, "--message", "fewer words")[0] == ExitCode.DONE
    sent.at_acme("issue", "edit", "ABC-1", "--field", "summary=later")
    assert previewed(sent, sent.at_acme, "export", status=ExitCode.WORK_LEFT)["items"] == []
    assert "a contract of ours is proposed" in sent.at_acme("why", "ABC-1")[1]
    sent.at_acme("export")
    sent.deliver(*sent.sent())
    previewed(sent, sent.at_globex, "import", status=ExitCode.WORK_LEFT)
    sent.at_globex("import")
    assert sent.at_globex("contract", "accept")[0] == ExitCode.DONE
    sent.at_globex("export")
    for file in (sent.folder / "globex" / "outbox").iterdir():
        (sent.folder / "acme" / "inbox" / file.name).write_bytes(file.read_bytes())
    before = everything(sent.folder)
    assert sent.at_acme("preview", "import")[0] in {ExitCode.DONE, ExitCode.NOTHING, ExitCode.WORK_LEFT}
    assert everything(sent.folder) == before
    sent.at_acme("import")
    assert "version: 2" in (sent.folder / "acme" / "contract.yaml").read_text()


def test_what_is_paused_is_not_rehearsed(sent: Pair) -> None:
    sent.at_globex("pause")
    status, out, err = sent.at_globex("preview", "import")
    assert (status, out) == (ExitCode.NOTHING, "")
    assert "is paused since" in err


def test_that_an_issue_left_the_scope_is_shown_on_both_sides_before_it_is_told_and_marked(pair: Pair) -> None:
    for at, more in (("acme", "leaving: {out: tell}"), ("globex", "leaving: {in: mark}")):
        mapping = pair.folder / at / "mapping.yaml"
        mapping.write_text(f"{mapping.read_text()}\n{more}\n")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    text = pair.acme.read_text()
    pair.acme.write_text(
        text.replace("    path: state/tracker.db\n", "    path: state/tracker.db\n    scope: {labels: [shared]}\n")
    )
    pair.at_acme("export")
    assert of(previewed(pair, pair.at_acme, "export"), "show as outside the scope") == {"issue ABC-1": {}}
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    assert of(previewed(pair, pair.at_globex, "import"), "show as outside the scope") == {"issue ABC-1": {}}
    pair.at_globex("import")
    assert "not sent any more by acme" in pair.at_globex("issue", "list")[1]
