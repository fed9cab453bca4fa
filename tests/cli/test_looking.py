"""What happened and what is stuck: `log`, `conflicts`, `status` and `stuck`."""

from __future__ import annotations

import re
import shutil

import pytest

from filesync.errors import ExitCode
from filesync.ledger.journal import Entry, add_entries
from filesync.ledger.ledger import Ledger
from tests.cli.sites import Pair


def edit_on_both_sides(pair: Pair) -> None:
    """One issue's summary, before either hears of it; what acme made of it lies in globex's inbox."""
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    pair.at_globex("issue", "edit", "ABC-1", "--field", "summary=Bearing too hot")
    pair.at_acme("export")
    pair.at_globex("export")
    pair.deliver(pair.sent()[-1])


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_f116_both_values_of_a_conflict_are_shown(pair: Pair) -> None:
    edit_on_both_sides(pair)
    assert "acme's value stands" in pair.at_globex("import")[1]
    [one] = pair.at_globex("conflicts", "--json")[1]
    assert (one["ours"], one["theirs"], one["winner"]) == ("Bearing too hot", "Pump overheats", "acme")
    out = pair.at_globex("conflicts")[1]
    assert (
        "ABC-1  summary: edited on both sides at once; acme's value stands\n    ours:   Bearing too hot\n    theirs: Pump overheats"
        in out
    )


def test_the_log_tells_every_event_again(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "A secret summary")
    told = pair.at_acme("export")[1].strip()
    out = pair.at_acme("log")[1]
    assert told in out
    assert "secret" not in out
    [entry] = pair.at_acme("log", "--json", "-n", "1")[1]
    assert (entry["event"], entry["exchange"], entry["sentence"]) == ("Exported", "main", told)


def test_an_event_of_another_version_is_shown_as_it_is(pair: Pair) -> None:
    entry = Entry(exchange="main", at=0, severity="warning", kind="Bygone", detail=b'{"event":"Bygone","file":"x\\u001b"}')
    ledger = Ledger.open(pair.folder / "acme" / "state" / "ledger.db")
    with ledger.begin() as conn:
        add_entries(conn, [entry])
    ledger.close()
    status, out, _ = pair.at_acme("log")
    assert status == ExitCode.DONE
    assert out.startswith('1970-01-01 00:00:00Z  main  warning: Bygone: {"event":"Bygone"')


def test_our_own_outgoing_bundle_can_be_shown(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump runs hot, as in ABC-7")
    pair.at_acme("export")
    status, out, _ = pair.at_acme("show", "--changes", pair.sent()[0])
    assert status == ExitCode.DONE
    assert "summary: Pump runs hot, as in ABC-7\n" in out
    assert "encrypted   yes" in out
    assert re.search(r"^seen        \S+ of globex$", out, re.MULTILINE)
    assert "of us" not in out


def test_without_encryption_everybody_is_told_that_it_is_so(pair: Pair) -> None:
    pair.at_acme("pair", "accept", "--no-encrypt", pair.folder / "globex.json")
    assert "signed, not encrypted" in pair.at_acme("status")[1]
    assert "signed, not encrypted" in pair.at_acme("check")[1]


@pytest.mark.parametrize(
    ("verb", "said"),
    [("conflicts", "no edits met"), ("stuck list", "nothing is stuck"), ("quarantine list", "nothing is in quarantine")],
)
def test_a_list_with_nothing_in_it_says_so_to_people_and_is_empty_to_scripts(pair: Pair, verb: str, said: str) -> None:
    assert pair.at_acme(*verb.split()) == (ExitCode.DONE, f"{said}\n", "")
    assert pair.at_acme(*verb.split(), "--json") == (ExitCode.DONE, [], "")


def test_status_counts_the_arriving_files_that_it_does_not_name(pair: Pair) -> None:
    for number in range(5):
        (pair.folder / "globex" / "inbox" / f"{number}.tar").write_bytes(b"")
    pair.at_globex("import")
    assert "arriving or damaged: 0.tar, 1.tar, 2.tar and 2 more" in pair.at_globex("status")[1]


# ── stuck ───────────────────────────────────────────────────────────────────────────────────────────────────────

# globex's word for the highest priority is one that its tracker does not have
WRONG_WORD = "\nfields: {priority: {field: priority, options: {Burning: Highest}}}\n"


@pytest.fixture
def refusing(pair: Pair) -> Pair:
    """globex refused to raise a priority, and a later edit waits behind that."""
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    mapping = pair.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text() + WRONG_WORD)
    pair.at_acme("issue", "edit", "ABC-1", "--field", "priority=Highest")
    pair.at_acme("export")
    pair.at_acme("issue", "edit", "ABC-1", "--field", "summary=Pump overheats")
    pair.at_acme("export")
    pair.deliver(*pair.sent()[1:])
    return pair


MARK = "0001.0000000002.000001"


def test_f112_what_is_refused_is_listed_with_its_reason_and_what_waits_behind(refusing: Pair) -> None:
    status, out, err = refusing.at_globex("import")
    assert status == ExitCode.WORK_LEFT
    assert f"filesync stuck retry {MARK}" in err
    assert re.search(r"^ABC-1 \(ABC-1 at acme\): change \S+ waits for the one before it$", out, re.MULTILINE)
    [one] = refusing.at_globex("stuck", "list", "--json")[1]
    assert (one["mark"], one["behind"]) == (MARK, 1)
    assert "priority" in one["reason"]
    out = refusing.at_globex("stuck", "list")[1]
    assert f"{MARK}  main  set ABC-1 (ABC-1 at acme), since " in out
    assert "1 later change of it waits" in out
    assert "1 change is stuck; see: filesync stuck list" in refusing.at_globex("status")[1]


def test_a_retry_after_the_cause_is_mended_applies_it_and_what_waited(refusing: Pair) -> None:
    refusing.at_globex("import")
    status, out, _ = refusing.at_globex("stuck", "retry", MARK)
    assert status == ExitCode.WORK_LEFT
    assert f'{MARK}: priority: there is no option "Burning"' in out
    assert refusing.at_globex("stuck", "retry", MARK, "--json")[1]["refused"] == 1
    mapping = refusing.folder / "globex" / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace(WRONG_WORD, ""))
    status, out, _ = refusing.at_globex("stuck", "retry")
    assert status == ExitCode.DONE
    assert "2 applied, 0 needed nothing, 0 refused again" in out
    shown = refusing.at_globex("issue", "show", "ABC-1")[1]
    assert "Highest" in shown
    assert "Pump overheats" in shown
    assert refusing.at_globex("stuck", "list") == (ExitCode.DONE, "nothing is stuck\n", "")


def test_a_number_that_no_change_can_have_is_misuse(pair: Pair) -> None:
    for call in (["retry", "5"], ["skip", "5", "--reason", "x"]):
        status, _, err = pair.at_acme("stuck", *call)
        assert status == ExitCode.USAGE
        assert "is no number of a change" in err


def test_quiet_status_says_only_what_needs_a_person(refusing: Pair) -> None:
    assert refusing.at_globex("-q", "status")[1] == ""
    refusing.at_globex("import")
    out = refusing.at_globex("-q", "status")[1]
    assert "1 change is stuck" in out
    assert "receiving" not in out


def test_status_says_that_a_bundle_is_held_for_its_contract(pair: Pair) -> None:
    contract = pair.folder / "acme" / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: 1", "version: 2", 1))
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    status, out, _ = pair.at_globex("status")
    assert status == ExitCode.WORK_LEFT
    assert "HELD: bundle 1 was made under another contract (theirs " in out
    shutil.copy(contract, pair.folder / "globex" / "contract.yaml")
    assert "HELD" not in pair.at_globex("status")[1]


def test_a_missing_bundle_is_no_matter_for_a_person_before_the_grace_is_over(pair: Pair) -> None:
    for summary in ("one", "two"):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", summary)
        pair.at_acme("export")
    pair.deliver(pair.sent()[1])
    assert pair.at_globex("-q", "import") == (ExitCode.WORK_LEFT, "", "")
    assert "Missing bundle 1 from acme" in pair.at_globex("import")[2]
    pair.globex.write_text(pair.globex.read_text().replace("grace: 1h", "grace: 0s"))
    assert "Ask acme to run: filesync resend globex 1" in pair.at_globex("-q", "import")[2]


def test_a_partner_nobody_knows_is_answered_with_those_there_are(pair: Pair) -> None:
    status, _, err = pair.at_acme("resend", "nobody", "1")
    assert status == ExitCode.USAGE
    assert "There are: main with globex." in err


def test_resend_tells_json(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    [one] = pair.at_acme("resend", "globex", "1", "--json")[1]
    assert (one["event"], one["seq"]) == ("Resent", 1)


def test_several_bundles_are_shown_one_after_the_other(pair: Pair) -> None:
    for summary in ("one", "two"):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", summary)
        pair.at_acme("export")
    status, out, _ = pair.at_acme("show", *pair.sent())
    assert status == ExitCode.DONE
    assert [line.split()[1] for line in out.splitlines() if line.startswith("bundle ")] == ["1", "2"]


def test_a_skip_needs_a_reason_and_lets_the_rest_go_on(refusing: Pair) -> None:
    refusing.at_globex("import")
    assert refusing.at_globex("stuck", "skip", MARK)[0] == ExitCode.USAGE
    assert refusing.at_globex("stuck", "skip", MARK, "--reason", "we do not burn")[0] == ExitCode.DONE
    assert "Pump overheats" in refusing.at_globex("issue", "list")[1]
    assert f"ABC-1 (ABC-1 at acme): change {MARK} was skipped (we do not burn)" in refusing.at_globex("log")[1]
    assert refusing.at_globex("status")[0] == ExitCode.DONE


def test_what_is_not_stuck_cannot_be_retried_or_skipped(pair: Pair) -> None:
    for call in (["retry", MARK], ["skip", MARK, "--reason", "x"]):
        status, _, err = pair.at_acme("stuck", *call)
        assert status == ExitCode.USAGE
        assert "is not stuck" in err


def test_what_a_person_wants_told_once_more_is_counted_and_goes_out(pair: Pair) -> None:
    for summary in ("Pump", "Seal"):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", summary)
    assert pair.at_acme("resync")[0] == ExitCode.NOTHING
    pair.at_acme("export")
    status, out, _ = pair.at_acme("resync", "--jql", "summary=Pump", "--fields", "summary, priority")
    assert (status, "1 issue will be told to globex once more, after all edits: priority, summary" in out) == (
        ExitCode.DONE,
        True,
    )
    assert pair.at_acme("resync", "--json")[1] == {"main": 2}
    assert "every field\n" in pair.at_acme("resync", "--status")[1]
    assert "  2 issues will be told once more with the next export\n" in pair.at_acme("status")[1]
    assert pair.at_acme("export", "--json")[1]["main"]["changes"] == 2
    assert "told once more" not in pair.at_acme("status")[1]
    status, _, err = pair.at_acme("resync", "--fields", "sumary, nosuch, priority")
    assert status == ExitCode.USAGE
    assert 'no field "nosuch"; the contract has no field "sumary"; did you mean "summary"?' in err


@pytest.mark.parametrize(
    "words",
    [
        ("log", "-n", "9" * 20),
        ("conflicts", "-n", "9" * 20),
        ("resend", "globex", "9" * 20),
        ("keys", "revoke", "globex", "--from-seq", "9" * 20),
        ("preview", "export", "--html", "."),
        ("resync", "--fields", ","),
    ],
)
def test_what_no_verb_can_do_anything_with_is_said_and_no_traceback(pair: Pair, words: tuple[str, ...]) -> None:
    status, _, err = pair.at_acme(*words)
    assert (status, "Error: " in err) == (ExitCode.USAGE, True)


def test_a_person_sees_what_is_open_and_decides_it(pair: Pair) -> None:
    for at in ("acme", "globex"):
        contract = pair.folder / at / "contract.yaml"
        contract.write_text(contract.read_text().replace("  summary: {kind: text}", "  summary: {kind: text, winner: ask}"))
    edit_on_both_sides(pair)
    assert pair.at_globex("import")[0] == ExitCode.WORK_LEFT
    status, out, _ = pair.at_globex("status")
    assert (status, "1 field waits for a person, each side keeps its own; see: filesync conflicts" in out) == (4, True)
    out = pair.at_globex("conflicts")[1]
    assert "ABC-1  summary: each side keeps its own\n    ours:   Bearing too hot\n    theirs: Pump overheats\n" in out
    assert "    decide: filesync settle ABC-1 summary --ours (or --theirs)\n" in out
    assert "  summary: open: edited at acme too" in pair.at_globex("why", "ABC-1")[1]
    assert pair.at_globex("settle", "ABC-1", "summary")[0] == ExitCode.USAGE
    status, _, err = pair.at_globex("settle", "ABC-1", "summary", "--ours", "--theirs")
    assert (status, "say whose value stands: --ours or --theirs, not both" in err) == (ExitCode.USAGE, True)
    assert 'does not wait for a person; did you mean "summary"?' in pair.at_globex("settle", "ABC-1", "sumary", "--ours")[2]
    status, out, _ = pair.at_globex("settle", "ABC-1", "summary", "--theirs")
    told = "ABC-1: summary was decided at globex; that stands on both sides once it was carried there\n"
    assert (status, out.startswith(told)) == (0, True)
    assert out.removeprefix(told).splitlines() == [
        "ABC-1: summary is now: Pump overheats",
        "tell the partner: filesync export --exchange main",
    ]
    [one] = pair.at_globex("conflicts", "--json")[1]
    assert (one["winner"], one["open"]) == ("acme", False)
    assert "edited on both sides at once; acme's value stands\n" in pair.at_globex("conflicts")[1]
    status, _, err = pair.at_globex("settle", "ABC-1", "summary", "--ours")
    assert (status, "summary of ABC-1 does not wait for a person any more" in err) == (ExitCode.USAGE, True)
    assert "Edit the issue itself to change it." in err


def test_a_mapping_that_cannot_be_used_is_told_by_those_who_only_look(pair: Pair) -> None:
    pair.at_acme("export")
    assert pair.at_acme("status")[0] == pair.at_acme("coverage")[0] == ExitCode.DONE
    mapping = pair.folder / "acme" / "mapping.yaml"
    before = mapping.read_text()
    mapping.write_text(before + "nonsense: 1\n")
    said = pair.at_acme("status")
    assert said[0] == ExitCode.CONFIG
    assert "  CANNOT GO ON: " in said[1]
    assert "mapping.yaml" in said[1]
    said = pair.at_acme("coverage")
    assert said[0] == ExitCode.CONFIG
    assert "nothing is sent or applied as things are" in said[1]
    mapping.write_text(before)
    assert pair.at_acme("status")[0] == ExitCode.DONE
