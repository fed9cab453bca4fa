"""docs/carriers.md, the recipes and the tests: none of them speaks of something that is not there, none is left out."""

from __future__ import annotations

import re

from filesync.errors import ExitCode
from tests.carriers.scene import RECIPES, ROOT, Said, Scene
from tests.support.pages import named, rows, there

PAGE = "carriers.md"


def test_every_row_about_folders_media_and_transports_is_there() -> None:
    assert list(rows(PAGE)) == list(range(63, 81))


def test_every_test_that_a_row_names_exists_and_a_row_without_one_says_why() -> None:
    tests = {number: named(shown_by) for number, (*_, shown_by) in rows(PAGE).items()}
    assert set().union(*tests.values()) - there() == set()
    words = ("Not there yet", "Cannot occur")
    assert [number for number, (_, sees, _) in rows(PAGE).items() if not tests[number] and not sees.startswith(words)] == []


def test_every_recipe_is_on_the_page() -> None:
    linked = set(re.findall(r"\.\./samples/carriers/([\w-]+)", (ROOT / "docs" / PAGE).read_text()))
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
