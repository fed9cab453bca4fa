"""Two programs that carry things offline, beside filesync: NNCP carries the same bundles, git the same records as files.

Neither does what filesync does: NNCP does not look into what it carries, and git has no tracker on either side.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from benchmarks.figure import Figure, Spent, spent
from benchmarks.scene import EXCHANGE, Scene, edit_all, scene
from filesync.agent.incoming.importer import import_once
from filesync.agent.outgoing.exporter import export_once
from filesync.model.issue import Issue
from filesync.model.values import Value

ISSUES, SMALL = 10_000, 100
_BRANCH = "main"
_ALONE = ("maintenance.auto", "false")  # nothing of git's works on in the background


def run(folder: Path, *, small: bool) -> list[Figure]:
    issues = SMALL if small else ISSUES
    with scene(folder, issues=issues, encrypt=True) as one:
        files = [(issue, dict(issue.item.fields)) for issue in one.here.issues.values()]  # as they were
        edit_all(one)
        with spent() as exported:
            export_once(one.acme, EXCHANGE)
        bundles = one.carry()
        carried = [Path(shutil.copy(file, folder / file.name)) for file in bundles]
        with spent() as imported:
            import_once(one.globex, EXCHANGE)
        figures = [_figure("filesync", "signed and encrypted, applied to a tracker in memory", issues, exported, imported)]
        for program, measure in (("nncp-file", lambda: _nncp(folder / "nncp", carried)), ("git", lambda: _git(one, files))):
            figures += _peer(program, measure, issues)
    return figures


def _peer(program: str, measure: Callable[[], tuple[str, Spent, Spent]], issues: int) -> list[Figure]:
    if shutil.which(program) is None:
        print(f"{program} is missing: install Debian's {program.partition('-')[0]} to measure it, too")
        return []
    what, out, back = measure()
    return [_figure(program.partition("-")[0], what, issues, out, back)]


def _figure(name: str, what: str, issues: int, out: Spent, back: Spent) -> Figure:
    return Figure(
        name=f"peers, {name}",
        what=f"{issues:,} edits, {what}",
        value=issues / (out.wall + back.wall),
        unit="records/s there and back",
        more={"sending, s": out.wall, "taking, s": back.wall},
    )


# ── NNCP ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _nncp(folder: Path, files: list[Path]) -> tuple[str, Spent, Spent]:
    """Encrypted for the other node, put on a medium; taken from there, checked, decrypted."""
    medium = folder / "medium"
    medium.mkdir(parents=True)
    own, ids = {}, {}
    for node in ("here", "there"):
        (folder / node).mkdir()
        text = _said("nncp-cfgnew", "-nocomments").replace("/var/spool/nncp", str(folder / node))
        own[node] = text
        keys = dict(re.findall(r"^ +(id|exchpub|signpub|noisepub): (\w+)$", text.partition("neigh:")[2], re.MULTILINE))
        ids[node] = "\n".join(f"      {name}: {value}" for name, value in keys.items())
    for node, other in (("here", "there"), ("there", "here")):
        incoming = folder / f"incoming-{node}"
        incoming.mkdir()
        neighbour = f"    {other}: {{\n{ids[other]}\n      incoming: {incoming}\n    }}\n"
        (folder / f"{node}.hjson").write_text(own[node].replace("  neigh: {\n", f"  neigh: {{\n{neighbour}"), encoding="utf-8")
    here, there = ("-cfg", str(folder / "here.hjson"), "-quiet"), ("-cfg", str(folder / "there.hjson"), "-quiet")
    with spent() as out:
        for file in files:
            _said("nncp-file", *here, str(file), "there:")
        _said("nncp-xfer", *here, "-mkdir", "-node", "there", str(medium))
    with spent() as back:
        _said("nncp-xfer", *there, str(medium))
        _said("nncp-toss", *there)
    came = list((folder / "incoming-there").iterdir())
    assert sorted(file.read_bytes() for file in came) == sorted(file.read_bytes() for file in files)
    return f"in {len(files)} bundles that filesync had made: their encryption and carriage alone", out, back


# ── git ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _git(one: Scene, before: list[tuple[Issue, dict[str, Value]]]) -> tuple[str, Spent, Spent]:
    """A file an issue; the edits are one commit, carried as a `git bundle` and merged there."""
    here, there, bundle = one.folder / "git-here", one.folder / "git-there", one.folder / "edits.bundle"
    here.mkdir()
    _said("git", "init", "-q", "-b", _BRANCH, str(here))
    for name, value in (
        ("user.name", "bench"),
        ("user.email", "bench@localhost"),
        ("core.fsync", "committed"),
        ("core.fsyncMethod", "batch"),
        _ALONE,
    ):
        _said("git", "-C", str(here), "config", name, value)
    _write(here, before)
    _commit(here, "as it was")
    _said("git", "clone", "-q", "-c", "=".join(_ALONE), str(here), str(there))
    after = [(issue, dict(issue.item.fields)) for issue in one.here.issues.values()]
    with spent() as out:
        _write(here, after)
        _commit(here, "edited")
        _said("git", "-C", str(here), "bundle", "create", "-q", str(bundle), f"{_BRANCH}~1..{_BRANCH}")
    with spent() as back:
        _said("git", "-C", str(there), "pull", "-q", "--ff-only", str(bundle), _BRANCH)
    assert (there / _place(after[-1][0])).read_bytes() == (here / _place(after[-1][0])).read_bytes()
    return "each record a file: written, one commit, a `git bundle`, a pull", out, back


def _write(folder: Path, issues: list[tuple[Issue, dict[str, Value]]]) -> None:
    for issue, fields in issues:
        path = folder / _place(issue)
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{name}: {value}\n" for name, value in fields.items()), encoding="utf-8")


def _place(issue: Issue) -> Path:
    return Path(issue.item.ref.local[-2:], issue.item.ref.local)


def _commit(folder: Path, what: str) -> None:
    _said("git", "-C", str(folder), "add", "-A")
    _said("git", "-C", str(folder), "commit", "-q", "-m", what)


def _said(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return done.stdout
