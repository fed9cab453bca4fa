"""The floors of the house: imports point down only, and the rooms of one floor do not know each other (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "filesync"

GROUND = {"errors", "model", "bundle", "settings", "secret"}
MIDDLE = {"ledger", "exchange", "trackers", "rules", "keys", "mail"}
MAY_IMPORT = {
    "errors": set[str](),
    "model": {"errors"},
    "bundle": {"errors", "model"},
    "settings": GROUND,
    "secret": {"errors"},
    **dict.fromkeys(MIDDLE, GROUND),
    "config": GROUND | MIDDLE,
    "templates": set[str](),  # texts that `init` writes
    "agent": GROUND | MIDDLE | {"config"},
    "cli": GROUND | MIDDLE | {"config", "agent"},
}
# What the ground computes can be replayed anywhere: time, ids and bytes come in as arguments.
PURE = {"errors", "model", "bundle"}
DISK = {"os", "io", "pathlib", "shutil", "tempfile", "glob"}
OUTSIDE = DISK | {"subprocess", "socket", "time", "random", "secrets", "uuid", "logging"}
# Start-up time was measured: `filesync --help` opens no site, a ledger that is there already needs no alembic, and what fits
# its schema needs nobody who explains, nor who guesses what was meant. `filesync status` asks no tracker, so it needs no HTTP client; few mappings have conditions. Only what takes long is
# shown while it goes on. Only a letter needs SMTP. `filesync status` reads changes and a contract only where some wait.
LATE = {
    "agent/mailing/post.py",
    "agent/asked/reading.py",
    "agent/usable.py",
    "agent/asked/status.py",
    "cli/app.py",
    "cli/progress.py",
    "ledger/ledger.py",
    "bundle/schema.py",
    "trackers/registry.py",
    "rules/load.py",
    "settings.py",
}

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported(tree: ast.AST) -> list[tuple[str, int]]:
    """Every module that is imported, by its full name, and the line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the full name of the module"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def test_every_room_has_a_floor() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert not rooms - MAY_IMPORT.keys(), "a new room: say in MAY_IMPORT on which floor it stands"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module, line in imported(ast.parse(path.read_text())):
        top, _, rest = module.partition(".")
        target = rest.split(".")[0]
        where = f"filesync/{name_of(path)}:{line}"
        if top == "filesync" and target in MAY_IMPORT and target != room:
            assert target in MAY_IMPORT[room], f"{where}: {room} may not know {target}: give it what it needs as an argument"
        if room in PURE:
            assert top not in OUTSIDE, f"{where}: {top} on the ground floor: files, time and ids come in as arguments"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    late = [line for function in functions for _, line in imported(function)]
    assert not late or name_of(path) in LATE, (
        f"filesync/{name_of(path)}:{late}: an import inside a function hides what a room knows"
    )


# What export and import share stands beside them, not in one of them; the merge knows neither.
ROOMS_OF_THE_AGENT = {
    "merge": set[str](),
    "outgoing": set[str](),
    "incoming": {"merge"},
    "running": {"incoming", "outgoing"},
}


@pytest.mark.parametrize("room", ROOMS_OF_THE_AGENT)
def test_the_rooms_of_the_agent_know_only_what_they_need(room: str) -> None:
    for path in (PACKAGE / "agent" / room).rglob("*.py"):
        known = {
            module.split(".")[2] for module, _ in imported(ast.parse(path.read_text())) if module.startswith("filesync.agent.")
        }
        others = (known & ROOMS_OF_THE_AGENT.keys()) - {room}
        assert others <= ROOMS_OF_THE_AGENT[room], f"filesync/{name_of(path)}: {room} may not know {others}"
