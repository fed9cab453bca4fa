"""The database itself: its schema, how it is opened and what it says when it cannot be."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from filesync.agent.site import Site
from filesync.errors import DiskProblem, ExitCode, LedgerBehind, Locked
from filesync.ledger import ledger as rooms
from filesync.ledger import streams
from filesync.ledger.ledger import HEAD, Ledger
from filesync.ledger.tables import metadata
from tests.support.two_sites import World, two_sites

ROOT = Path(__file__).parents[2]
MIGRATIONS = Path(rooms.__file__).parent / "migrations"


def opened(path: Path) -> None:
    Ledger.open(path).close()


# ── schema ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_migrations_lead_to_the_very_schema_of_the_tables(tmp_path: Path) -> None:
    opened(tmp_path / "ledger.db")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), metadata) == []
        inspector = sa.inspect(conn)
        for table in metadata.sorted_tables:
            columns = {one["name"]: one for one in inspector.get_columns(table.name)}
            assert list(columns) == [one.name for one in table.columns]
            assert {name for name, one in columns.items() if not one["nullable"]} == {
                one.name for one in table.columns if not one.nullable
            }
            keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [one.name for one in table.primary_key.columns]
            assert len(inspector.get_foreign_keys(table.name)) == len(table.foreign_key_constraints)
    engine.dispose()


def test_the_version_that_is_asked_for_is_that_of_the_last_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opened(path)
    before = path.read_bytes()
    opened(path)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_filesync_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opened(path)
    with sqlite3.connect(path) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(LedgerBehind, match=rf"written by a newer filesync \(its version 9999, ours {HEAD}\)") as told:
        Ledger.open(path)
    assert told.value.hint == "install the newer filesync again; nothing was changed"
    assert path.read_bytes() == before


def test_f45_a_ledger_whose_making_was_killed_is_made_by_the_next(tmp_path: Path) -> None:
    for place in ("create_table", "create_index", "commit"):
        path = tmp_path / f"{place}.db"
        target = {"commit": "sqlalchemy.Connection.commit"}.get(place, f"alembic.op.{place}")
        module, _, name = target.rpartition(".")
        script = (
            "import os, signal, sys\n"
            "from pathlib import Path\n"
            "import alembic.op, sqlalchemy\n"
            "from filesync.ledger.ledger import Ledger\n"
            f"setattr({module}, {name!r}, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
            "Ledger.open(Path(sys.argv[1]))\n"
        )
        done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False, capture_output=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        ledger = Ledger.open(path)
        assert ledger.version() == HEAD
        ledger.close()


# ── durability and order ────────────────────────────────────────────────────────────────────────────────────────


def test_every_commit_is_on_disk_and_readers_do_not_wait(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with ledger.begin() as conn:
        answers = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    ledger.close()
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def write_and_fail(ledger: Ledger) -> None:
    with ledger.begin() as conn:
        streams.set_site_fact(conn, "a", "1")
        raise RuntimeError


def test_what_raises_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with pytest.raises(RuntimeError):
        write_and_fail(ledger)
    with ledger.begin() as conn:
        assert streams.site_fact(conn, "a") is None
    ledger.close()


def test_a_rule_of_ours_that_we_break_is_a_bug_and_looks_like_one(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with pytest.raises(sa.exc.IntegrityError), ledger.begin() as conn:
        conn.exec_driver_sql("insert into revisit (exchange, issue) values (7, 'x')")
    ledger.close()


# ── one process at a time ───────────────────────────────────────────────────────────────────────────────────────

_HOLDER = """
import sys
from pathlib import Path
from filesync.agent.site import Site
from filesync.config import load_config
with Site.open(load_config(Path(sys.argv[1]))):
    print("in", flush=True)
    sys.stdin.read()
"""


def holder(world: World) -> subprocess.Popen[bytes]:
    config = world.acme.config.path
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(config)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"in\n"
    return process


def test_f53_a_second_process_is_told_who_holds_the_site_and_since_when() -> None:
    with two_sites() as world:
        world.acme.site.close()
        with holder(world) as process:
            with pytest.raises(
                Locked, match=rf"in use by pid {process.pid} on .+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
            ) as told:
                Site.open(world.acme.config)
            assert told.value.exit_code is ExitCode.LOCKED
            assert "Nothing was started here" in told.value.hint
            process.kill()
        world.acme.reopen()


def test_f55_a_holder_that_was_killed_holds_nothing() -> None:
    with two_sites() as world:
        world.acme.site.close()
        with holder(world) as process:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        world.acme.reopen()
        who = (world.acme.config.folders.state / "lock.who").read_text()
        assert who.startswith(f"pid {os.getpid()} on ")


# ── damaged, gone, not ours ─────────────────────────────────────────────────────────────────────────────────────


def ruined(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:] = b"\x55" * (len(content) - 100)  # the magic stays, every page is nonsense
    path.write_bytes(content)


def test_f56_a_damaged_ledger_is_named_and_says_where_the_truth_is_otherwise() -> None:
    with two_sites() as world:
        world.acme.desk.create("Bug", "one")
        world.acme.export()
        world.acme.site.close()
        path = world.acme.config.folders.state / "ledger.db"
        whole = path.read_bytes()
        ruined(path)
        with pytest.raises(LedgerBehind, match=r"the ledger .*ledger\.db is damaged: ") as told:
            Site.open(world.acme.config)
        assert told.value.exit_code is ExitCode.RECOVER
        assert "restore it from a backup" in told.value.hint
        assert "guard and archive" in told.value.hint
        path.write_bytes(b"not a database at all" * 100)
        with pytest.raises(LedgerBehind, match="is damaged"):
            Site.open(world.acme.config)
        path.write_bytes(whole)
        world.acme.reopen()


def test_f56_f98_a_ledger_older_than_what_was_sent_is_refused_by_the_guard() -> None:
    with two_sites() as world:
        acme = world.acme
        acme.site.close()
        backup = acme.folder / "backup.db"
        shutil.copy(acme.config.folders.state / "ledger.db", backup)
        acme.reopen()
        acme.desk.create("Bug", "one")
        acme.export()
        acme.site.close()
        newest = (acme.config.folders.state / "ledger.db").read_bytes()
        shutil.copy(backup, acme.config.folders.state / "ledger.db")
        with pytest.raises(LedgerBehind, match="up to 0, but 1 was already sent") as told:
            acme.reopen()
        assert told.value.exit_code is ExitCode.RECOVER
        (acme.config.folders.state / "ledger.db").write_bytes(newest)
        acme.reopen()


def test_a_state_folder_that_is_not_there_is_not_made_anew() -> None:
    with two_sites() as world:
        acme = world.acme
        acme.site.close()
        state = acme.config.folders.state
        away = state.rename(acme.folder / "away")
        with pytest.raises(DiskProblem, match=r"the state folder .*state' is not there: is its disk mounted\?"):
            Site.open(acme.config)
        assert not state.exists()
        away.rename(state)
        acme.reopen()


@pytest.mark.parametrize(("left", "said"), [("guard", "says that bundle 1 was sent"), ("archive", "holds bundles")])
def test_f56_a_ledger_that_is_gone_is_not_taken_for_a_new_sites(left: str, said: str) -> None:
    with two_sites() as world:
        acme = world.acme
        acme.desk.create("Bug", "one")
        acme.export()
        acme.site.close()
        path = acme.config.folders.ledger
        kept = path.rename(acme.folder / "kept.db")
        for other in {"guard", "archive"} - {left}:
            shutil.move(acme.folder / other, acme.folder / f"{other}.away")
            (acme.folder / other).mkdir()
        for empty in (False, True):
            if empty:
                path.touch()
            with pytest.raises(LedgerBehind, match=said) as told:
                Site.open(acme.config)
            assert told.value.exit_code is ExitCode.RECOVER
            assert "Is the disk of the state folder mounted?" in told.value.hint
            assert path.exists() is empty, "none is made"
        kept.replace(path)
        acme.reopen()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match=r"none.ledger\.db cannot be used: unable to open") as told:
        Ledger.open(tmp_path / "none" / "ledger.db")
    assert str(tmp_path / "none") in told.value.hint
