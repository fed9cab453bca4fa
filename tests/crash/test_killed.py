"""An export and an import, killed by SIGKILL wherever that could leave something half done (tests/support/killed.py)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXPORT = {f"after X{step}" for step in (1, 2, "2 chunk", 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)}
IMPORT = {f"after I{step}" for step in (1, 4, 5, 8, 9, 10, 11, 12, 13, 14)}


def killed(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.support.killed", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6_000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_f45_f46_f49_an_export_killed_anywhere_goes_on_and_every_number_has_one_file() -> None:
    told = killed("export")
    calls = {
        f"{when} {call} {room}"
        for when in ("before", "after")
        for call in ("create", "write", "fsync")
        for room in ("archive", "guard", "outbox")
    }
    links = {
        f"{when} {call}" for when in ("before", "after") for call in ("link archive", "link outbox", "replace guard", "commit")
    }
    assert EXPORT | calls | links <= set(told["places"])
    assert told["killed"] > 50


@pytest.mark.parametrize("scene", ["import", "import-abreast"])
def test_f45_f50_f51_f52_an_import_killed_anywhere_goes_on_and_makes_nothing_twice(scene: str) -> None:
    told = killed(scene)
    calls = {
        f"{when} {call} {room}"
        for when in ("before", "after")
        for call in ("create", "write", "fsync")
        for room in (("stage", "store") if scene == "import" else ("stage",))  # one is copied into the store, one linked
    }
    more = {
        f"{when} {call}"
        for when in ("before", "after")
        for call in ("link store", "unlink inbox", "create", "apply", "write_checkpoint", "commit")
    }
    assert IMPORT | calls | more <= set(told["places"])
    assert told["killed"] > 50


def test_f45_f91_a_change_of_keys_killed_anywhere_goes_on_and_every_number_has_the_key_that_counts_there() -> None:
    told = killed("rotate")
    calls = {f"{when} {call} keys" for when in ("before", "after") for call in ("create", "fsync", "replace", "link", "unlink")}
    assert {"after R1", "after R2", "after R3", "after X5"} | calls <= set(told["places"])
    assert told["killed"] > 50


def test_f45_f91_a_change_of_the_age_key_killed_anywhere_is_said_once_and_what_is_on_its_way_is_opened() -> None:
    told = killed("rotate-age")
    calls = {f"{when} {call} keys" for when in ("before", "after") for call in ("create", "fsync", "replace")}
    assert {"after R1", "after R2", "after R3", "after X6"} | calls <= set(told["places"])
    assert told["killed"] > 50


@pytest.mark.prove
@pytest.mark.parametrize("scene", ["export", "import", "rotate", "rotate-age"])
def test_f45_killed_at_every_single_place(scene: str) -> None:
    told = killed(scene, "--all")
    assert told["killed"] == len(told["places"])
