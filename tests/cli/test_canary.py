"""No value, name or secret of a site is where it does not belong: in a log, the journal, stderr, or a verb that shows none.

One long scene, in which every verb is called, and everything goes wrong that can. A new verb fails this until it is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from filesync.agent.asked.inspect import inspected
from filesync.config import load_config
from filesync.errors import ExitCode
from tests.cli.canary import BIRD, CANARIES, OURS, UNKNOWN, Call, Scene, every_field, found_sites, nonsense, project, verbs
from tests.mail.office import Office, office
from tests.support.attachments import chunk_files

# Verbs that are there to show values on stdout, and why. Nothing else may, and nobody may on stderr.
SHOWS: Final = {
    "issue list": "the tracker itself",
    "issue show": "the tracker itself",
    "issue create": "the tracker itself, with --json",
    "issue edit": "the tracker itself, with --json",
    "issue transition": "the tracker itself, with --json",
    "issue attach": "names what was attached",
    "issue attachment get": "names what was fetched",
    "show": "with --changes, what a bundle says",
    "conflicts": "both values of edits that met, so that the one that lost can be put back",
    "settle": "the value that was chosen",
    "preview export": "what would be sent",
    "preview import": "what would be written",
    "why": "the word of ours for which the contract has none, and why a change is refused, as stuck list",
    "stuck list": "the tracker's own words, which say what is wrong with a value",
    "stuck retry": "what is still refused, as stuck list",
    "status": "the names of attachments that wait, and what is not valid where a stream is stopped",
    "check": "words of the contract that this tracker lacks, so that they can be mapped",
    "contract show": "words of a proposed contract that this tracker lacks, as check",
    "draft": "as check",
    "verify": "what is not valid in a file",
    "quarantine list": "what is not valid in a file, or how a text begins that somebody put in its place",
    "quarantine show": "as quarantine list",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Office]:
    with office() as made:
        yield made


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, server: Office) -> Scene:
    made = found_sites(tmp_path_factory.mktemp("canary"))
    made.mails(server.port)
    _first_issues(made)
    _edits_that_meet(made)
    _attachments(made)
    _bad_files(made)
    _contract(made)
    _keys(made)
    _upkeep(made)
    _logs(made)
    _the_end(made)
    return made


def _first_issues(scene: Scene) -> None:
    """Every field of an issue, and all that can belong to one; some of it globex's tracker refuses."""
    acme, folder = "acme", scene.folder
    definition = project(folder, more=OURS)
    scene.call("globex", "draft", status=ExitCode.DONE)
    summary = ("--summary", f"{BIRD} summary", "--description", f"{BIRD} text\nin two lines")
    scene.call(acme, "issue", "create", "--type", "Bug", *summary, *every_field(definition), "--json", status=ExitCode.DONE)
    scene.call(acme, "export", "-v", status=ExitCode.DONE)  # alone: both call it by the same key then
    scene.call(acme, "issue", "create", "--type", "Task", *summary, "--field", f"priority={UNKNOWN}", status=ExitCode.DONE)
    scene.call(acme, "issue", "create", "--type", "Task", *summary, "--field", f"priority={OURS}", status=ExitCode.DONE)
    scene.call(acme, "issue", "comment", "ABC-1", f"{BIRD} comment", "--json", status=ExitCode.DONE)
    scene.call(acme, "issue", "worklog", "ABC-1", "--time", "1h", "--text", f"{BIRD} work", status=ExitCode.DONE)
    scene.call(acme, "issue", "link", "ABC-1", "blocks", "ABC-2", "--json", status=ExitCode.DONE)
    scene.call(acme, "issue", "transition", "ABC-1", "In Progress", "--json", status=ExitCode.DONE)
    (folder / f"{BIRD} note.txt").write_text(f"{BIRD} in a file")
    scene.call(acme, "issue", "attach", "ABC-1", folder / f"{BIRD} note.txt", status=ExitCode.DONE)
    scene.call(acme, "issue", "list", status=ExitCode.DONE)
    scene.call(acme, "issue", "show", "ABC-1", status=ExitCode.DONE)
    (folder / "more.yaml").write_text("issues: []\n")
    scene.call(acme, "issue", "load", folder / "more.yaml")
    for words in (("ABC-3",), ("ABC-3", "--json"), ("ABC-1#1",), ("ABC-1/1", "--json")):
        scene.call(acme, "why", *words, status=ExitCode.DONE)
    scene.call(acme, "preview", "export", status=ExitCode.WORK_LEFT)
    scene.call(acme, "export", "-v", status=ExitCode.DONE)  # and ABC-3's priority has no word
    scene.bring("acme", "globex")
    scene.call("globex", "preview", "import", "--json", status=ExitCode.WORK_LEFT)
    scene.call("globex", "preview", "import", "--html", folder / "preview.html", status=ExitCode.WORK_LEFT)
    scene.call("globex", "import", "-v", status=ExitCode.WORK_LEFT)
    scene.call("globex", "stuck", "list")
    scene.call("globex", "stuck", "list", "--json")
    scene.call("globex", "why", "ABC-2", "--json")
    for at in (acme, "globex"):
        scene.call(at, "coverage", status=ExitCode.DONE)
        scene.call(at, "coverage", "--json", status=ExitCode.DONE)
    scene.call("globex", "stuck", "retry", status=ExitCode.WORK_LEFT)
    scene.call("globex", "check", "--mail")


def _edits_that_meet(scene: Scene) -> None:
    """Both sides edit the same; a comment that was edited here is deleted there; a value lands in another form."""
    for at, word in (("acme", "theirs"), ("globex", "ours")):
        fields = [f"summary={BIRD} {word}", f"description={BIRD} {word}", f"labels+={BIRD}-both"]
        scene.call(at, "issue", "edit", "ABC-1", *(x for one in fields for x in ("--field", one)), status=ExitCode.DONE)
    scene.call(
        "acme", "issue", "edit", "ABC-2", "--field", f"environment={BIRD} with blanks   ", "--json", status=ExitCode.DONE
    )
    (note,) = scene.json("acme", "issue", "show", "ABC-1")["comments"]
    (copy,) = scene.json("globex", "issue", "show", "ABC-1")["comments"]
    scene.call("acme", "issue", "comment", "ABC-1", "--delete", note["id"], status=ExitCode.DONE)
    scene.call("acme", "issue", "delete", "ABC-3", status=ExitCode.DONE)
    for at in ("acme", "globex"):
        scene.call(at, "export", "--json", status=ExitCode.DONE)
    # too late for that export, and what it is about is deleted at acme
    scene.call("globex", "issue", "comment", "ABC-1", f"{BIRD} not sent", "--edit", copy["id"], status=ExitCode.DONE)
    scene.call("globex", "issue", "edit", "ABC-3", "--field", f"labels+={BIRD}-lost", status=ExitCode.DONE)
    scene.bring("acme", "globex")
    scene.bring("globex", "acme")
    scene.call("globex", "import", "-v")
    scene.call("acme", "import", "--json")
    for at in ("acme", "globex"):
        scene.call(at, "conflicts", status=ExitCode.DONE)
        scene.call(at, "conflicts", "--json", status=ExitCode.DONE)
    scene.call("globex", "settle", "ABC-1", "description", "--theirs", "--json", status=ExitCode.DONE)


def _attachments(scene: Scene) -> None:
    """Bytes that do not come, and bytes that cannot be had."""
    folder = scene.folder
    film = folder / f"{BIRD} film.mov"
    film.write_bytes(f"{BIRD} in a film\n".encode() * 600)
    scene.call("acme", "issue", "attach", "ABC-1", film, status=ExitCode.DONE)
    scene.call("acme", "export", status=ExitCode.DONE)
    scene.bring("acme", "globex", chunks=False)
    scene.settings("globex", grace="0s")
    scene.call("globex", "import", status=ExitCode.WORK_LEFT)
    scene.call("globex", "status", status=ExitCode.WORK_LEFT)
    scene.call("globex", "request", "acme")
    scene.call("globex", "export")
    scene.bring("globex", "acme")
    scene.call("acme", "import")
    scene.bring("acme", "globex")
    chunk, *_ = chunk_files(folder / "acme" / "archive")
    scene.call("acme", "resend", "globex", "1", "--chunk", chunk.name.rpartition("_b")[2][:16], "--json", status=ExitCode.DONE)
    scene.bring("acme", "globex")
    scene.call("globex", "import", "--json")
    last = scene.json("acme", "issue", "show", "ABC-1")["attachments"][-1]
    scene.call("acme", "issue", "attachment", "get", "ABC-1", last["id"], "--to", folder / "got", status=ExitCode.DONE)
    gone = f"{BIRD} gone.txt"
    (folder / gone).write_text(BIRD)
    scene.call("acme", "issue", "attach", "ABC-2", folder / gone, status=ExitCode.DONE)
    files = folder / "acme" / "state" / "tracker.db.files"
    newest = max(files.iterdir(), key=lambda path: int(path.name))
    away = newest.rename(folder / "away")
    scene.call("acme", "export")
    away.rename(newest)
    (lost,) = scene.json("acme", "issue", "show", "ABC-2")["attachments"]
    scene.call("acme", "issue", "attachment", "delete", "ABC-2", lost["id"], status=ExitCode.DONE)


def _bad_files(scene: Scene) -> None:
    """Texts, damage, and what is cut off."""
    scene.call("acme", "issue", "edit", "ABC-1", "--field", f"description={BIRD} once more", status=ExitCode.DONE)
    scene.call("acme", "export", status=ExitCode.DONE)
    good, *_ = scene.bring("acme", "globex")
    content = good.read_bytes()
    good.unlink()
    scene.put("globex", "fs1_stub.tar", f"{BIRD} was removed by the gateway\n".encode() * 40)
    scene.put("globex", good.name, content[:-200])
    scene.settings("globex", settle="10m")
    scene.call("globex", "import")
    scene.settings("globex", settle="0s")
    (scene.folder / "flipped.tar.age").write_bytes(content[:400] + bytes([content[400] ^ 1]) + content[401:])
    scene.call("globex", "verify", scene.folder / "flipped.tar.age", scene.folder / "globex" / "inbox" / "fs1_stub.tar")
    scene.call("globex", "show", scene.folder / "flipped.tar.age")
    scene.call("globex", "import", status=ExitCode.PARTNER)
    entries = scene.json("globex", "quarantine", "list")
    scene.call("globex", "quarantine", "list")
    for one in entries:
        scene.call("globex", "quarantine", "show", one["id"])
    scene.call("globex", "quarantine", "retry", entries[0]["id"])
    scene.call("globex", "quarantine", "drop", entries[-1]["id"], "--yes")
    scene.put("globex", good.name, content)
    scene.call("globex", "import")
    archived, *_ = sorted((scene.folder / "acme" / "archive").iterdir())
    scene.call("acme", "verify", archived, status=ExitCode.DONE)
    scene.call("acme", "show", archived, status=ExitCode.DONE)
    scene.call("acme", "show", "--changes", archived, status=ExitCode.DONE)
    scene.call("acme", "show", "--changes", "--json", archived, status=ExitCode.DONE)


def _keys(scene: Scene) -> None:
    """Keys that change, that are wrong, and that somebody pasted where they do not belong."""
    keys = scene.folder / "acme" / "keys"
    scene.call("acme", "keys", "list", status=ExitCode.DONE)
    for secret in ("signing", "age.txt"):
        scene.call("acme", "pair", "accept", keys / secret)
        scene.call("acme", "verify", keys / secret)
        scene.call("acme", "keys", "rotate", "--public", keys / secret)
        signers = (keys / "allowed_signers").read_text()
        pasted = "\n".join(line for line in (keys / secret).read_text().splitlines() if not line.startswith(("#", "-")))
        for line in (pasted, f"acme {pasted}", f'acme namespaces="{pasted}" ssh-ed25519 AAAA'):
            (keys / "allowed_signers").write_text(signers + line + "\n")
            scene.call("acme", "check")
            scene.call("acme", "export")
        (keys / "allowed_signers").write_text(signers)
        (scene.folder / "acme" / "inbox" / f"fs1_{secret}.tar").write_text(pasted)  # by a slip of the hand
        scene.call("acme", "import")
        whole = (keys / secret).read_text()
        (keys / secret).write_text(f"{pasted}x\n")
        scene.call("acme", "check")
        scene.call("acme", "export")
        (keys / secret).write_text(whole)
    scene.call("acme", "keys", "rotate", status=ExitCode.DONE)
    scene.call("acme", "keys", "rotate", "--age", "--json", status=ExitCode.DONE)
    scene.bring("acme", "globex")
    scene.call("globex", "import", "-v")
    scene.call("globex", "keys", "list", "--json")
    scene.call("globex", "keys", "rotate", "--stolen")
    scene.call("acme", "keys", "revoke", "globex", "--from-seq", "1000")
    scene.call("globex", "pair", "export")


def _upkeep(scene: Scene) -> None:
    """What an operator does between runs, and a tracker that is not there."""
    (stuck, *_) = scene.json("globex", "stuck", "list")
    scene.call("globex", "stuck", "skip", stuck["mark"], "--reason", "we have no such priority", status=ExitCode.DONE)
    tracker = scene.folder / "acme" / "state" / "tracker.db"
    away = tracker.rename(scene.folder / "tracker.db")
    for verb in ("export", "check", "status"):
        scene.call("acme", verb)
    away.rename(tracker)
    scene.call("acme", "pause", "--reason", "the stick is lost")
    scene.call("acme", "export")
    scene.call("acme", "resume")
    for verb in ("stop-issues", "start-issues"):
        scene.call("acme", verb, "ABC-1", "ABC-99")
        scene.call("acme", verb, "ABC-1", "--apply", status=ExitCode.DONE)
        scene.call("acme", "status")
        scene.call("acme", "export", "-v")
    scene.call("acme", "start-issues", "--as-scope", "ABC-1", "--apply", "--json", status=ExitCode.DONE)
    scene.call("acme", "resync", "--jql", f"summary={BIRD} nowhere", status=ExitCode.NOTHING)
    scene.call("acme", "pair-issues", "--by-key", "--stands", "ours")
    scene.settings("acme", keep_for="0s", keep_bundles=1)
    scene.call("acme", "prune", "--dry-run")
    scene.call("acme", "prune")


def _contract(scene: Scene) -> None:
    """Another contract: declined, withdrawn, and proposed again and accepted."""
    for version, answer in ((2, ["decline", "--message", "we need it"]), (3, []), (4, ["accept"])):
        text = (scene.folder / "acme" / "contract.yaml").read_text()
        new = scene.folder / "contract.yaml"
        new.write_text(text.replace("version: 1", f"version: {version}").replace(f"- {OURS}\n", ""))
        scene.call("acme", "contract", "propose", new, "--message", "why not", status=ExitCode.DONE)
        scene.call("acme", "export")
        scene.bring("acme", "globex")
        scene.call("globex", "import", status=ExitCode.WORK_LEFT)
        scene.call("globex", "contract", "show", status=ExitCode.WORK_LEFT)
        if answer:
            scene.call("globex", "contract", *answer, status=ExitCode.DONE)
        else:
            scene.call("acme", "contract", "withdraw", "--message", "a mistake", status=ExitCode.DONE)
            scene.bring("acme", "globex")
            scene.call("globex", "import")
        scene.bring("globex", "acme")
        scene.call("acme", "import")


def _logs(scene: Scene) -> None:
    """Runs, with the log as people and as programs read it."""
    for log_format in ("text", "json"):
        scene.call(
            "acme", "issue", "edit", "ABC-1", "--field", f"summary={BIRD} for the {log_format} log", status=ExitCode.DONE
        )
        scene.call("acme", "issue", "create", "--type", "Bug", "--summary", BIRD, "--field", f"priority={UNKNOWN}")
        scene.call("globex", "issue", "edit", "ABC-1", "--field", f"summary={BIRD} meanwhile", status=ExitCode.DONE)
        scene.call("acme", "run", "--once", "-v", "--log-format", log_format)
        scene.put("globex", f"fs1_{log_format}.tar", f"{BIRD} {log_format}\n".encode() * 40)
        scene.bring("acme", "globex")
        scene.call("globex", "run", "--once", "-v", "--log-format", log_format)
        scene.bring("globex", "acme")


def _the_end(scene: Scene) -> None:
    """A stream that is stopped by a value that is none, and exchanges that are ended."""
    scene.call("acme", "import")
    nonsense(scene, "globex")
    scene.call("globex", "verify", *(scene.folder / "globex" / "inbox").glob("fs1_*"))
    scene.call("globex", "import", status=ExitCode.STOPPED)
    for words in (["import"], ["export"], ["status"], ["check"], ["run", "--once"], ["import", "--json"], ["pause"]):
        scene.call("globex", *words)
    for at in ("acme", "globex"):
        scene.call(at, "log", "-n", "10000", status=ExitCode.DONE)
        scene.call(at, "log", "-n", "10000", "--json", status=ExitCode.DONE)
    scene.call("acme", "unpair", "main", "--yes", status=ExitCode.DONE)


# ── what must hold ──────────────────────────────────────────────────────────────────────────────────────────────


def birds(text: str) -> list[str]:
    """The canaries in a text, each with what stands around it."""
    found = []
    for canary in CANARIES:
        at = text.lower().find(canary)
        if at >= 0:
            found.append(f"…{text[max(0, at - 120) : at + 60]}…")
    return found


def test_every_verb_is_called(scene: Scene) -> None:
    assert {call.verb for call in scene.calls} == set(verbs()), "a new verb is to be called in this scene, too"


def test_everything_went_wrong_that_was_to(scene: Scene) -> None:
    kinds = {kind for at in ("acme", "globex") for kind, _ in scene.journal(at)}
    wanted = {"Stuck", "Met", "LostEdit", "LandedDifferently", "NotTold", "Waiting", "BytesMissing", "NotFetched", "Arriving"}
    assert wanted | {"Damaged", "Stopped", "Skipped", "KeyRotated", "KeyRevoked"} <= kinds
    ends = {ExitCode(call.status) for call in scene.calls}
    assert {ExitCode.CONFIG, ExitCode.PARTNER, ExitCode.STOPPED, ExitCode.TRACKER, ExitCode.WORK_LEFT} <= ends
    assert ExitCode.BUG not in ends


def test_no_value_is_on_stderr(scene: Scene) -> None:
    assert [(str(call), birds(call.err)) for call in scene.calls if birds(call.err)] == []


def test_no_value_is_in_a_log_or_in_the_journal(scene: Scene) -> None:
    runs = [call for call in scene.calls if call.verb == "run"]
    assert len([call for call in runs if call.err]) >= 4
    assert [(str(call), birds(call.out)) for call in scene.calls if call.verb in {"log", "run"} and birds(call.out)] == []
    kept = [(kind, birds(detail)) for at in ("acme", "globex") for kind, detail in scene.journal(at)]
    assert [one for one in kept if one[1]] == []


@pytest.mark.usefixtures("scene")
def test_no_value_is_in_a_letter(server: Office) -> None:
    about = {
        word for letter in server.letters for part in letter["Subject"].split("] ")[1].split(", ") for word in part.split()
    }
    assert {"met", "look", "over"} <= about
    assert [found for letter in server.letters if (found := birds(letter["Subject"] + letter.get_content()))] == []


def test_a_value_is_on_stdout_only_where_the_verb_is_there_to_show_it(scene: Scene) -> None:
    showed: dict[str, list[Call]] = {}
    for call in scene.calls:
        if birds(call.out):
            showed.setdefault(call.verb, []).append(call)
    assert {verb: (str(calls[0]), birds(calls[0].out)) for verb, calls in showed.items() if verb not in SHOWS} == {}
    assert [str(call) for call in showed["show"] if "--changes" not in call.words] == []
    assert SHOWS.keys() == showed.keys(), "these showed none: the list is too wide"


def test_no_secret_is_anywhere(scene: Scene) -> None:
    assert len(scene.secrets) > 20
    said = [(str(call), text) for call in scene.calls for text in (call.out, call.err)]
    said += [(kind, detail) for at in ("acme", "globex") for kind, detail in scene.journal(at)]
    # a part of a secret is one as well
    parts = {secret[start : start + 24] for secret in scene.secrets for start in range(0, len(secret) - 23, 8)}
    private = [part for part in parts if part not in scene.public]  # the file of a private key has the public one in it
    assert [(what, part) for what, text in said for part in private if part in text] == []


@pytest.mark.parametrize("at", ["acme", "globex"])
def test_no_secret_leaves_in_a_file(scene: Scene, at: str) -> None:
    for path in (scene.folder / at / "archive").iterdir():
        with inspected(path, load_config(scene.config(at))) as found:
            assert found.good, (path, found.problems)
            assert found.plain is not None
            content = found.plain.read_bytes()
        assert not [secret for secret in scene.secrets if secret.encode() in content], path
