"""docs/cookbook.md: every recipe is read as a site reads it, and what stands under "what happens" is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import yaml

from filesync.errors import ConfigError, Gone
from filesync.model.ids import Kind
from filesync.model.issue import About, Item, Ref
from filesync.model.people import ANYBODY
from filesync.model.values import Value, flat_name, split_name
from filesync.rules.load import load_mapping, make_rules
from filesync.rules.mapping import Inward, Rules
from tests.rules.build import comment, contract, nobody
from tests.rules.test_users import Staff
from tests.support.two_sites import Side, World, two_sites

Step: TypeAlias = dict[str, Any]
Recipe: TypeAlias = dict[str, str]  # the first line of an example: the example

PAGE: Final = Path(__file__).parents[2] / "docs" / "cookbook.md"
FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOTHING: Final = "nothing"


def recipes() -> Iterator[tuple[str, Recipe]]:
    for part in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        read = [(language, text, text.splitlines()[0].removeprefix("# ")) for language, text in FENCE.findall(part)]
        yield part.splitlines()[0], {name if language == "yaml" else language: text for language, text, name in read}


RECIPES: Final = dict(recipes())


def steps(recipe: Recipe) -> list[Step]:
    return [step for name, text in recipe.items() if name.startswith("what happens") for step in yaml.safe_load(text)]


def of_people(recipe: Recipe) -> bool:
    """Whether it takes two sites and the people at them to show what happens."""
    return any(name.split()[0] in {"acme", "globex", "both"} for step in steps(recipe) for name in step)


AT_SITES: Final = {name: recipe for name, recipe in RECIPES.items() if of_people(recipe)}
IN_WORDS: Final = {name: recipe for name, recipe in RECIPES.items() if steps(recipe) and name not in AT_SITES}


def flat(fields: Mapping[str, Any]) -> dict[str, Value]:
    """As the page writes fields: a list is a set."""
    found: dict[str, Value] = {}
    for name, value in fields.items():
        found.update({flat_name(name, one): True for one in value} if isinstance(value, list) else {name: value})
    return found


def made(folder: Path, recipe: Recipe, people: Staff | None = None, number: str = "") -> Rules:
    agreed = contract(folder, recipe[f"contract{number}.yaml"])
    (folder / "mapping.yaml").write_text(recipe[f"mapping{number}.yaml"])
    return make_rules(agreed, load_mapping(folder / "mapping.yaml"), site="acme", people=people or ANYBODY)


# ── in words alone ──────────────────────────────────────────────────────────────────────────────────────────────


def goes_out(rules: Rules, step: Step) -> None:
    item = Item(
        ref=Ref(Kind.ISSUE, "1", "1"), stamp="1", origin=None, fields=flat(step["ours"]), about=About(key=step.get("key", ""))
    )
    outward = rules.outward(item, nobody)
    assert {name: value for name, value in outward.fields.items() if name not in outward.silent} == flat(step["told"])
    assert sorted(outward.untold | outward.silent) == step.get("stays", [])
    assert not outward.failed


def written(kind: Kind, step: Step, inward: Inward) -> None:
    assert inward.fields == flat(step["written"]), kind
    assert list(inward.refused) == step.get("refused", [])


def file_goes(rules: Rules, step: Step) -> None:
    file = (step["file"]["name"], step["file"]["size"])
    assert {"sent": not rules.sieves.out.stops(*file), "taken": not rules.sieves.into.stops(*file)} == {
        "sent": step["sent"],
        "taken": step["taken"],
    }


def happens(rules: Rules, step: Step) -> None:
    match next(iter(step)):
        case "ours":
            goes_out(rules, step)
        case "comes":
            written(Kind.ISSUE, step, rules.inward(Kind.ISSUE, flat(step["comes"]), nobody))
        case "comment":
            outward = rules.outward(comment(step["comment"]), nobody)
            assert (NOTHING if outward.withheld else outward.fields) == step["told"]
        case "comment comes":
            written(Kind.COMMENT, step, rules.inward(Kind.COMMENT, step["comment comes"], nobody))
        case "file":
            file_goes(rules, step)
        case strange:
            raise AssertionError(f"what is {strange}?")


@pytest.mark.parametrize("name", IN_WORDS)
def test_what_a_recipe_says_happens(name: str, tmp_path: Path) -> None:
    recipe = IN_WORDS[name]
    first, *rest = steps(recipe)
    people = Staff(**first["people"]) if "people" in first else None
    rules = made(tmp_path, recipe, people, number="-2" if "contract-2.yaml" in recipe else "")
    for step in rest if people else [first, *rest]:
        happens(rules, step)


# ── at two sites ────────────────────────────────────────────────────────────────────────────────────────────────


def together(file: str) -> str:
    """This file of all recipes, put into one, as the page says one may."""
    found: dict[str, Any] = {}
    for recipe in AT_SITES.values():
        for key, value in yaml.safe_load(recipe[file]).items():
            found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return yaml.safe_dump(found, sort_keys=False)


def shows(side: Side, key: str, expected: Any) -> None:
    if expected == NOTHING:
        with pytest.raises(Gone, match=key):
            side.desk.show(key)
        return
    fields = side.desk.show(key).issue.fields
    for name, value in expected.items():
        if isinstance(value, list):
            assert {element for one in fields for field, element in [split_name(one)] if field == name} == set(value), name
        else:
            assert fields.get(name) == value, name


def do(world: World, key: str, name: str, what: Any) -> str:
    """One line of a step. Returns the key of the issue that it is about."""
    who, verb = name.split()
    side = world.globex if who == "globex" else world.acme
    match verb:
        case "makes":
            fields = dict(what)
            key = side.desk.create(fields.pop("type"), fields.pop("summary"), flat(fields))
        case "edits":
            side.desk.edit(key, flat(what))
        case "edit":
            for one in world.sides:
                one.desk.edit(key, flat(what[one.name]))
        case "deletes":
            side.desk.delete(key)
        case "has":
            shows(side, key, what)
        case _:
            raise AssertionError(f"what is {name}?")
    if verb != "has":
        world.send(side)
        world.send(world.other(side))  # what that answers
    return key


def test_what_recipes_say_happens_at_two_sites_and_they_go_together() -> None:
    with two_sites(contract=together("contract.yaml"), mappings=(together("mapping.yaml"), "")) as world:
        for recipe in AT_SITES.values():
            key = ""
            for step in steps(recipe):
                for name, what in step.items():
                    key = do(world, key, name, what)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_recipe_is_a_contract_and_a_mapping_that_are_read(tmp_path: Path) -> None:
    assert [name.split(".")[0] for name in RECIPES] == [str(number) for number in range(1, 19)]
    assert len(AT_SITES) + len(IN_WORDS) == len(RECIPES) - 1  # the last says what cannot be said
    for recipe in (*AT_SITES.values(), *IN_WORDS.values()):
        made(tmp_path, recipe)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if "text" in recipe])
def test_what_does_not_fit_is_told_as_the_page_says(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    agreed = contract(tmp_path, recipe.get("contract-2.yaml", recipe["contract.yaml"]))
    (tmp_path / "mapping.yaml").write_text(recipe.get("mapping.yaml, wrong", recipe.get("mapping.yaml", "")))
    with pytest.raises(ConfigError) as caught:
        make_rules(agreed, load_mapping(tmp_path / "mapping.yaml"), site="acme")
    assert "".join(f"{problem}\n" for problem in caught.value.problems) == recipe["text"]
