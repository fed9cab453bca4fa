"""docs/carriers.md, the recipes and the tests: none of them speaks of something that is not there, none is left out."""

from __future__ import annotations

import re
from pathlib import Path

from filesync.errors import ExitCode
from tests.carriers.scene import RECIPES, ROOT, Said, Scene

PAGE = (ROOT / "docs" / "carriers.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def test_every_row_about_folders_media_and_transports_is_there() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(63, 81))


def test_every_test_that_a_row_names_exists_and_a_row_without_one_says_why() -> None:
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    defined = {name for path in files for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)}
    defined.add(test_f69_a_carrier_that_brings_everything_each_time_is_told_nothing_new.__name__)
    named = {number: set(re.findall(r"`(test_\w+)`", shown_by)) for number, _, _, shown_by in ROWS}
    assert set().union(*named.values()) - defined == set()
    assert [row[0] for row in ROWS if not named[row[0]] and not row[2].startswith(("Not there yet", "Cannot occur"))] == []


def test_every_recipe_is_on_the_page() -> None:
    linked = set(re.findall(r"\.\./samples/carriers/([\w-]+)", PAGE))
    assert linked == {path.name for path in RECIPES.iterdir()}


def test_f69_a_carrier_that_brings_everything_each_time_is_told_nothing_new(scene: Scene) -> None:
    config = scene.folder / "globex" / "filesync.yaml"
    config.write_text(config.read_text().replace("inbox_policy: move", "inbox_policy: keep"))
    [name] = scene.sent()
    bundle = (scene.outbox / name).read_bytes()
    (scene.inbox / name).write_bytes(bundle)
    assert scene.at("globex", "import").status == ExitCode.DONE
    assert scene.at("globex", "-v", "import") == Said(ExitCode.NOTHING, "nothing arrived\n")
    (scene.inbox / f"again-{name}").write_bytes(bundle)
    again = scene.at("globex", "-v", "import")
    assert (again.status, again.text.count("applied already; nothing to do")) == (ExitCode.DONE, 1)
    assert scene.at("globex", "-v", "import") == Said(ExitCode.NOTHING, "nothing arrived\n")
