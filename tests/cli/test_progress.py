"""F60: long work is shown while it goes on, on a terminal and nowhere else, at a cost that does not grow with it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import tty
from pathlib import Path

import pytest

from filesync.agent.progress import Doing
from filesync.agent.upkeep.prune import prune
from filesync.errors import ExitCode
from tests.cli.sites import ROOT, Filesync, Pair
from tests.support.attachments import bytes_of, set_limits, small_limits
from tests.support.two_sites import EXCHANGE, Side, two_sites

# A call that shows everything at once, not only what takes long.
IMPATIENT = "import sys\nfrom filesync.cli import main, progress\nprogress.PATIENCE = progress._EVERY = 0\nsys.exit(main.run(sys.argv[1:]))"
ESCAPE = "\x1b"


def on_a_terminal(
    script: str, *words: str | Path, stdout_too: bool = False, kind: str = "xterm-256color"
) -> tuple[int, str, str]:
    """Run it with stderr, and stdout where that is asked for, on a terminal. The status, what came there, and stdout."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)  # what is written comes out as it is
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"TERM": kind, "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout_too else subprocess.PIPE,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        came = bytearray()
        try:
            while data := os.read(ours, 65_536):
                came += data
        except OSError:  # how Linux says that nobody has the terminal open any more
            pass
        out = running.stdout.read().decode() if running.stdout is not None else ""
    os.close(ours)
    return running.returncode, came.decode(), out


def screen(came: str) -> list[str]:
    """What stands on a terminal in the end, of text, carriage returns and erased lines."""
    lines = [""]
    for part in re.findall(r"\n|\r|\x1b\[[0-9;?]*[A-Za-z]|[^\n\r\x1b]+", came):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part != "\r" and not part.startswith(ESCAPE):
            lines[-1] += part
    return [line for line in lines if line]


def test_f60_who_waits_for_a_tracker_that_does_not_answer_sees_that(tmp_path: Path, filesync: Filesync) -> None:
    filesync("init", tmp_path / "acme", "--name", "acme", "--tracker", "jira-dc")
    config = tmp_path / "acme" / "filesync.yaml"
    text = config.read_text().replace("https://jira.example.org", "http://127.0.0.1:9")  # where nobody listens
    config.write_text(re.sub(r"(?m)^    token_file: .*", "    token_env: TOKEN\n    patience: 2s", text))
    status, came, out = on_a_terminal("import os; os.environ['TOKEN'] = 'x'\n" + IMPATIENT, "-c", config, "check")
    assert status == ExitCode.TRACKER
    assert f"1 {Doing.WAITING}" in came
    assert screen(came) == []
    assert "hint: Is tracker.settings.url (http://127.0.0.1:9) the address of Jira, and can this machine reach it?" in out
    assert re.search(r"^ok   rules: .*; not held against the tracker, which could not be asked$", out, re.MULTILINE)


@pytest.fixture
def busy(pair: Pair) -> Pair:
    """acme has a little of everything to tell, in many files."""
    for at in ("acme", "globex"):
        config = pair.folder / at / "filesync.yaml"
        text = config.read_text().replace("max_changes: 2000", "max_changes: 3")
        config.write_text(text.replace("inline_blob: 1 MiB", "inline_blob: 1 KiB").replace("chunk: 64 MiB", "chunk: 4 KiB"))
    for n in range(4):
        pair.at_acme("issue", "create", "--type", "Bug", "--summary", f"Pump {n}")
    film = pair.folder / "film.mov"
    film.write_bytes(bytes_of(9_000))
    pair.at_acme("issue", "attach", "ABC-1", film)
    return pair


def test_f60_long_work_is_shown_on_a_terminal_and_erased_when_it_is_over(busy: Pair) -> None:
    status, came, out = on_a_terminal(IMPATIENT, "-c", busy.acme, "export")
    assert status == ExitCode.DONE
    assert all(word in came for word in (Doing.LOOKING, Doing.FETCHING, Doing.FINISHING, Doing.SENDING))
    assert "9.0 kB of 9.0 kB of an attachment read" in came
    assert screen(came) == []
    assert ESCAPE not in out
    assert "exported bundle 1 for globex" in out
    busy.deliver(*busy.sent())
    status, came, out = on_a_terminal(IMPATIENT, "-c", busy.globex, "import")
    assert status == ExitCode.DONE
    assert all(word in came for word in (Doing.TAKING, Doing.APPLYING, Doing.MAKING))
    assert "5 of 5 changes decided" in came
    assert screen(came) == []
    status, came, out = on_a_terminal(IMPATIENT, "-c", busy.acme, "verify", *busy.sent())
    assert status == ExitCode.DONE
    assert f"of {len(busy.sent())} {Doing.CHECKING}" in came
    assert screen(came) == []


def test_f60_nothing_is_drawn_over_or_beside_other_lines(busy: Pair) -> None:
    _, came, _ = on_a_terminal(IMPATIENT, "-c", busy.acme, "export", "-v", stdout_too=True)
    assert Doing.LOOKING in came
    lines = screen(came)
    assert len(lines) > 3
    assert [line for line in lines if not re.match(r"(exported|report) ", line)] == []
    (busy.folder / "globex" / "inbox" / "fs1_stub.tar").write_text("no bundle")
    busy.deliver(*busy.sent()[1:])
    _, came, _ = on_a_terminal(IMPATIENT, "-c", busy.globex, "import")
    assert Doing.TAKING in came
    lines = screen(came)
    assert lines
    assert [line for line in lines if not line.startswith("warning: ")] == []


@pytest.mark.parametrize(
    "words", [["export", "--json"], ["-q", "export"], ["run", "--once"], ["run", "--once", "--log-format", "json"]]
)
def test_f60_nothing_is_drawn_for_json_for_quiet_calls_and_in_a_log(busy: Pair, words: list[str]) -> None:
    status, came, out = on_a_terminal(IMPATIENT, "-c", busy.acme, *words)
    assert status == ExitCode.DONE
    assert ESCAPE not in came + out
    assert not any(word in came for word in Doing)


def test_f60_nothing_is_drawn_into_a_pipe_or_on_a_terminal_that_cannot(busy: Pair) -> None:
    _, came, _ = on_a_terminal(IMPATIENT, "-c", busy.acme, "verify", *busy.folder.glob("*.json"), kind="dumb")
    assert came == ""
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, "-c", busy.acme, "export"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert ESCAPE not in done.stdout


def test_f60_what_is_quick_is_not_shown(busy: Pair) -> None:
    script = IMPATIENT.replace("PATIENCE = progress._EVERY = 0", "PATIENCE = 3_600")
    _, came, _ = on_a_terminal(script, "-c", busy.acme, "export")
    assert came == ""


A_MILLION = """
import itertools, tracemalloc
from filesync.agent.progress import Doing
from filesync.cli.progress import Bar

ticks = itertools.count()
bar = Bar(clock=lambda: next(ticks) / 100_000)  # each call takes 10 µs: ten seconds in all
for n in range(200_000):
    bar.show(Doing.APPLYING, n, 1_000_000)
tracemalloc.start()
for n in range(200_000, 1_000_000):
    bar.show(Doing.APPLYING, n, 1_000_000)
bar.clear()
print(tracemalloc.get_traced_memory()[0])
"""


def test_f60_a_million_changes_are_shown_at_the_cost_of_the_time_they_take_and_no_memory() -> None:
    _, came, out = on_a_terminal(A_MILLION)
    drawn = re.findall(r"([0-9,]+) of 1,000,000 changes decided", came)
    assert 80 <= len(drawn) <= 100, "ten times a second, after half a second"
    assert drawn[-1] > "900,000"
    assert int(out) < 500_000  # bytes; rich keeps some samples for the time that is left
    assert screen(came) == []


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────


def heard(side: Side) -> list[tuple[Doing, int, int | None]]:
    """What this side tells from now on."""
    told: list[tuple[Doing, int, int | None]] = []
    side.site.progress = lambda doing, done, of: told.append((doing, done, of))
    return told


def goes_up(told: list[tuple[Doing, int, int | None]], doing: Doing) -> tuple[int, int | None]:
    """The last of what was told of this; it never went back, nor beyond what there is."""
    found = [(done, of) for what, done, of in told if what is doing]
    assert found, f"nothing was told of {doing}"
    assert all(of is None or done <= of for done, of in found)
    assert [done for done, _ in found] == sorted(done for done, _ in found)
    return found[-1]


def test_f60_what_is_told_counts_up_to_all_there_is() -> None:
    with two_sites() as world:
        small_limits(world)
        for side in world.sides:
            set_limits(side, max_changes="2", keep_bundles="1", keep_for="0s")
        acme, globex = world.sides
        for n in range(5):
            acme.desk.create("Bug", f"Pump {n}")
        acme.desk.attach("ABC-1", "pump.mov", [bytes_of(14_000)])
        told = heard(acme)
        acme.export()
        assert goes_up(told, Doing.LOOKING)[0] >= 5
        assert goes_up(told, Doing.FETCHING) == (14_000, 14_000)
        assert goes_up(told, Doing.SENDING)[1] == 14_000
        told = heard(globex)
        world.carry(to=globex)
        globex.import_()
        assert goes_up(told, Doing.TAKING)[1] == 8  # four bundles, four chunks
        assert goes_up(told, Doing.APPLYING) == (6, 6)
        assert goes_up(told, Doing.MAKING) == (14_000, 14_000)
        globex.export()
        world.carry(to=acme)
        acme.import_()
        world.bring_again(to=acme)  # into the inbox: nothing there is pruned
        world.clock.advance(days=1)
        told = heard(acme)
        removed = prune(acme.site, EXCHANGE)
        assert removed
        assert goes_up(told, Doing.REMOVING)[1] == len(removed)
