"""The verbs on what could not be taken, and on keys."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import Pair


def refused(pair: Pair, name: str, content: bytes) -> str:
    """A file that globex's import refuses at once; its id."""
    config = pair.globex.read_text().replace("settle: 10m", "settle: 0s")
    pair.globex.write_text(config)
    (pair.folder / "globex" / "inbox" / name).write_bytes(content)
    assert pair.at_globex("import")[0] == ExitCode.PARTNER
    found = pair.at_globex("quarantine", "list", "--json")[1]
    (ident,) = [one["id"] for one in found if one["name"].startswith(name[:3])]
    return str(ident)


def kept(pair: Pair) -> list[Path]:
    return sorted((pair.folder / "globex" / "quarantine").iterdir())


def bug(pair: Pair) -> Path:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    assert pair.at_acme("export")[0] == ExitCode.DONE
    (file,) = pair.sent()
    return file


def test_list_names_the_file_its_reason_and_since_when(pair: Pair) -> None:
    refused(pair, "not\x1b[31mred.txt", b"Your attachment was removed\n" * 100)
    status, out, _ = pair.at_globex("quarantine", "list")
    assert status == ExitCode.DONE
    assert "not\\x1b[31mred.txt, 2.8 kB, since 2" in out
    assert "NOT_A_BUNDLE: " in out
    assert "\x1b" not in out
    (one,) = pair.at_globex("quarantine", "list", "--json")[1]
    assert (one["code"], one["size"]) == ("NOT_A_BUNDLE", 2_800)


def test_show_checks_anew_and_says_how_it_begins(pair: Pair) -> None:
    ident = refused(pair, "note.txt", b"Your \x1b]0;attachment was removed\n" * 100)
    status, out, _ = pair.at_globex("quarantine", "show", ident[:6])
    assert status == ExitCode.DONE
    assert "now: NOT_A_BUNDLE" in out
    assert "it begins: Your \\x1b]0;attachment was removed\n" in out


def test_what_was_refused_for_a_key_is_taken_when_the_key_is_back(pair: Pair) -> None:
    file = bug(pair)
    signers = pair.folder / "globex" / "keys" / "allowed_signers"
    text = signers.read_text()
    signers.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("acme ")))
    ident = refused(pair, file.name, file.read_bytes())
    assert pair.at_globex("keys", "list")[0] == ExitCode.CONFIG
    signers.write_text(text)
    status, out, _ = pair.at_globex("quarantine", "retry", ident)
    assert (status, out.splitlines()[-1]) == (ExitCode.DONE, "1 applied, 0 held")
    assert kept(pair) == []
    assert "Pump" in pair.at_globex("issue", "list")[1]


def test_what_is_still_wrong_comes_back(pair: Pair) -> None:
    ident = refused(pair, "note.txt", b"no bundle\n" * 100)
    assert pair.at_globex("quarantine", "retry", ident)[0] == ExitCode.WORK_LEFT
    assert [path.name for path in kept(pair)] == [f"{ident}.bundle", f"{ident}.txt"]


def test_a_cut_off_copy_of_what_is_applied_already_may_be_dropped(pair: Pair) -> None:
    file = bug(pair)
    pair.deliver(file)
    assert pair.at_globex("import")[0] == ExitCode.DONE
    pair.globex.write_text(pair.globex.read_text().replace("settle: 10m", "settle: 0s"))
    (pair.folder / "globex" / "inbox" / file.name).write_bytes(file.read_bytes()[:-500])
    status, _, err = pair.at_globex("import")
    assert status == ExitCode.PARTNER
    assert "By its name it is bundle 1, which is applied already: if so, nothing is missing" in err
    *_, call = err.split("drop it: filesync ")
    assert pair.at_globex(*call.split(), "--yes")[0] == ExitCode.DONE
    assert kept(pair) == []


def test_drop_asks_first_and_stands_in_the_log(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ident = refused(pair, "note.txt", b"no bundle\n" * 100)
    for _ in ("said no", "nobody is there to say anything"):
        status, _, err = pair.at_globex("quarantine", "drop", ident)
        assert status == ExitCode.INTERRUPTED
        assert "nothing was removed" in err
        assert "--yes" in err
    assert len(kept(pair)) == 2
    assert pair.at_globex("quarantine", "drop", ident, "--yes")[0] == ExitCode.DONE
    assert kept(pair) == []
    assert f"note.txt (NOT_A_BUNDLE) was dropped from quarantine, where it was {ident}" in pair.at_globex("log")[1]


def test_a_file_that_is_not_there_is_said_so(pair: Pair) -> None:
    status, _, err = pair.at_globex("quarantine", "show", "ffff")
    assert status == ExitCode.USAGE
    assert "there is no file ffff in quarantine" in err


def test_keys_list_shows_both_sites_keys_the_same_on_both_sides(pair: Pair) -> None:
    here, there = pair.at_acme("keys", "list", "--json")[1], pair.at_globex("keys", "list", "--json")[1]
    assert [one["site"] for one in here] == ["acme", "globex"]
    assert {(one["site"], one["fingerprint"], one["recipient"]) for one in here} == {
        (one["site"], one["fingerprint"], one["recipient"]) for one in there
    }
    assert all(one["fingerprint"].startswith("SHA256:") and one["recipient"].startswith("age1") for one in here)
    status, out, _ = pair.at_acme("keys", "list")
    assert status == ExitCode.DONE
    assert "globex (exchange main, since its first bundle)" in out
