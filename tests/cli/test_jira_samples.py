"""The sample configurations for Jira: each is one that `filesync check` has nothing against, beside a Jira."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from filesync.config import load_config
from filesync.errors import ExitCode
from filesync.model.ids import Kind
from filesync.model.values import Value
from filesync.rules.contract import load_contract
from filesync.rules.load import load_mapping, make_rules
from filesync.rules.mapping import Rules
from tests.cli.sites import ROOT, Filesync
from tests.rules.build import issue, nobody
from tests.rules.test_users import Staff
from tests.support.jira.organisations import WORDS
from tests.support.jira.renamed import rename
from tests.support.jira.site import CLOUD, DC10, JiraSite

SAMPLES = ROOT / "samples" / "jira"
SIDES = sorted(file.parent for file in SAMPLES.glob("*/*/filesync.yaml"))
FLAVOURS = {"jira-dc": DC10, "jira-cloud": CLOUD}
SUPPLIER, CUSTOMER = (SAMPLES / "supplier-customer" / name for name in ("acme", "globex"))
ORGANISATIONS = {SUPPLIER: WORDS["acme"], CUSTOMER: WORDS["globex"]}


def test_there_are_samples_of_both_sides_of_every_pair() -> None:
    kinds = {
        pair.name: [load_config(pair / name / "filesync.yaml").tracker.kind for name in ("acme", "globex")]
        for pair in SAMPLES.iterdir()
    }
    assert kinds == {
        "cloud-cloud": ["jira-cloud", "jira-cloud"],
        "dc-cloud": ["jira-dc", "jira-cloud"],
        "dc-dc": ["jira-dc", "jira-dc"],
        "dc-embedded": ["jira-dc", "embedded"],
        "supplier-customer": ["jira-dc", "jira-cloud"],
    }


@contextmanager
def settled(side: Path, folder: Path, filesync: Filesync) -> Iterator[tuple[Path, JiraSite | None]]:
    """A site with the configuration of a sample, and the Jira beside it where it has one."""
    config = load_config(side / "filesync.yaml")
    kind, project = config.tracker.kind, config.tracker.project
    site = folder / side.name
    status, _, err = filesync("init", site, "--name", side.name, "--tracker", kind, "--project", project)
    assert status == ExitCode.DONE, err
    shutil.copy(side.parent / "contract.yaml", site)
    (site / "mapping.yaml").unlink()
    if (side / "mapping.yaml").exists():
        shutil.copy(side / "mapping.yaml", site)
    file = site / "filesync.yaml"
    own = re.search(r"(?m)^  id: \S+", file.read_text())
    assert own is not None
    text = re.sub(r"(?m)^  id: \S+", own[0], (side / "filesync.yaml").read_text())
    with ExitStack() as stack:
        jira = stack.enter_context(JiraSite(FLAVOURS[kind])) if kind in FLAVOURS else None
        if jira is not None:
            if side in ORGANISATIONS:
                rename(jira, ORGANISATIONS[side])
            text = re.sub(r"(?m)^    requests_per_second: .*\n", "", text)
            text = re.sub(r"(?m)^    url: \S+", f"    requests_per_second: 1000\n    url: {jira.url}", text)
            (site / "keys" / "jira-token").touch(mode=0o600)
            (site / "keys" / "jira-token").write_text(jira.token)
        file.write_text(text)
        yield file, jira


@pytest.mark.parametrize("side", SIDES, ids=lambda side: f"{side.parent.name} {side.name}")
def test_check_has_nothing_against_a_sample(side: Path, tmp_path: Path, filesync: Filesync) -> None:
    with settled(side, tmp_path, filesync) as (file, _):
        _, found, _ = filesync("-c", file, "check", "--json")
    told = {one["what"]: (one["notes"], one["problems"]) for one in found}
    assert [problem["what"] for problem in told.pop("exchanges")[1]] == ["paired with nobody yet"]
    stays = re.compile(
        r"stay here: |never comes to |goes both ways as it is|one that the partner makes is stuck|\"(Programme|Vorhaben)\""
    )  # as the samples want it
    told["rules"] = ([note for note in told["rules"][0] if not stays.search(note["what"])], told["rules"][1])
    assert told == {what: ([], []) for what in told}


def test_check_names_the_rights_that_our_account_has_not(tmp_path: Path, filesync: Filesync) -> None:
    with settled(SAMPLES / "dc-dc" / "acme", tmp_path, filesync) as (file, jira):
        assert jira is not None
        jira.deny("TRANSITION_ISSUES")
        _, told, _ = filesync("-c", file, "check")
    assert (
        f"\nok   tracker: Jira at {jira.url.removeprefix('http://')}, project ABC\n"
        "       note: Transition Issues: our account has not this right: statuses\n"
    ) in told


def test_check_names_a_field_without_which_jira_makes_no_issue(tmp_path: Path, filesync: Filesync) -> None:
    with settled(SAMPLES / "dc-cloud" / "globex", tmp_path, filesync) as (file, _):
        contract = file.parent / "contract.yaml"
        contract.write_text(
            contract.read_text().replace("  summary: {kind: text}\n", "").replace("  parent: {kind: parent}\n", "")
        )
        _, found, _ = filesync("-c", file, "check", "--json")
    [rules] = [one for one in found if one["what"] == "rules"]
    assert {one["where"] for one in rules["problems"]} == {"summary", "parent"}
    assert "the tracker makes no Sub-task without it" in next(
        one["what"] for one in rules["problems"] if one["where"] == "parent"
    )


def rules_of(side: Path) -> Rules:
    contract = load_contract(side.parent / "contract.yaml")
    people = Staff(**{"ext-s.oneil": "", "ext-w.chen": "", "j.becker": "", "t.weber": ""})
    return make_rules(contract, load_mapping(side / "mapping.yaml"), site=side.name, people=people)


def told(source: Path, fields: dict[str, Value]) -> dict[str, Value | None]:
    """What an issue with these fields becomes at the other of the two, in its words."""
    outward = rules_of(source).outward(issue(fields), nobody)
    assert (outward.dropped, outward.failed) == ((), {})
    inward = rules_of(CUSTOMER if source == SUPPLIER else SUPPLIER).inward(Kind.ISSUE, outward.fields, nobody)
    assert inward.refused == {}
    return inward.fields


def test_two_organisations_understand_each_other_and_call_nothing_the_same() -> None:
    account = "712020:00000000-0000-4000-8000-0000000101"
    assert told(
        CUSTOMER,
        {
            "type": "Störung",
            "status": "In Arbeit",
            "summary": "Pumpe läuft heiß",
            "priority": "Sofort",
            "reporter": f"{account}11",
            "assignee": f"{account}12",
            "Schwere": "Stillstand",
            "Anlagen:HPC-400 ATEX": True,
            "Bauteil": ["Pumpe", "Dichtung"],
        },
    ) == {
        "type": "Field Report",
        "status": "Analysis",
        "summary": "Pumpe läuft heiß",
        "priority": "P1",
        "reporter": "ext-s.oneil",
        "assignee": "t.weber",
        "Failure Class": "B (stop)",
        "Product:hpc400 atex": True,
        "Assembly": ["Rotor unit", "Mechanical seal"],
        "Customer Plant": "Werk Süd",
    }
    assert told(
        SUPPLIER,
        {
            "type": "Change Request",
            "status": "On Hold",
            "priority": "P5",
            "Quote": "1200",
            "assignee": "ext-w.chen",
            "Assembly": ["Power pack", "Hoses"],
        },
    ) == {
        "type": "Änderung",
        "status": "Wartet",
        "priority": "Später",
        "Angebot": "1200 EUR (acme/)",
        "assignee": f"{account}13",
        "Bauteil": ["Hydraulik"],
    }
    assert rules_of(SUPPLIER).preset(["summary"]) == {"components:Manufacturing": True, "labels:globex": True}
