"""A site that asks its tracker what there is: `init --url`, `init --contract` and `draft`, beside a Jira and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from filesync.config import load_config
from filesync.errors import ExitCode
from filesync.rules.load import load_rules
from filesync.rules.mapping import Rules
from tests.cli.sites import ROOT, Filesync, Pair
from tests.support.jira.site import CLOUD, DC10, Flavour, JiraSite

SAMPLE = ROOT / "samples" / "jira" / "dc-cloud" / "contract.yaml"


@pytest.fixture(params=[DC10, CLOUD], ids=lambda flavour: flavour.name)
def jira(request: pytest.FixtureRequest) -> Iterator[JiraSite]:
    flavour: Flavour = request.param
    with JiraSite(flavour) as site:
        yield site


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    return file


def beside(jira: JiraSite, token: Path, **given: str) -> list[str]:
    """The options that say where a Jira is and who we are there."""
    token.write_text(jira.token)
    kind, user = ("jira-cloud", ["--user", jira.email]) if jira.flavour.cloud else ("jira-dc", [])
    options = {"tracker": kind, "url": jira.url, "project": "ABC", "token-file": str(token)} | given
    return [*user, *(f"--{name}={value}" for name, value in options.items())]


def rules_of(site: Path) -> Rules:
    config = load_config(site / "filesync.yaml")
    return load_rules(config.contract, config.mapping, site=config.name)


def test_a_new_site_has_what_its_jira_has(jira: JiraSite, token: Path, tmp_path: Path, filesync: Filesync) -> None:
    site = tmp_path / "acme"
    status, out, err = filesync("init", site, "--name", "acme", *beside(jira, token))
    assert (status, err) == (ExitCode.DONE, "")
    assert "contract: drafted from Jira at 127.0.0.1:" in out
    rules = rules_of(site)
    assert set(rules.contract.types) == {"Epic", "Story", "Task", "Bug", "Sub-task"}
    assert rules.local_names("due_date") == ("due",)
    assert rules.local_names("story_points") == ("Story Points",)
    assert "security" not in rules.contract.fields
    assert rules.contract.markup == "wiki"
    assert "Lindqvist" not in (site / "contract.yaml").read_text()
    assert "Lindqvist" in (site / "mapping.yaml").read_text()
    status, found, _ = filesync("-c", site / "filesync.yaml", "check", "--json")
    assert [one["what"] for one in found if one["problems"]] == ["exchanges"]  # that nobody is paired yet
    assert filesync("-c", site / "filesync.yaml", "draft")[0] == ExitCode.NOTHING


def test_the_partners_contract_is_taken_and_what_matches_nothing_is_told(
    jira: JiraSite, token: Path, tmp_path: Path, filesync: Filesync
) -> None:
    site = tmp_path / "acme"
    status, told, _ = filesync("init", site, "--name", "acme", *beside(jira, token), "--contract", SAMPLE, "--json")
    assert status == ExitCode.DONE
    assert (told["drafted"]["contract"], told["drafted"]["mapping"]) == ("taken", "drafted")
    assert [one["what"] for one in told["drafted"]["unmatched"]] == [
        'nothing here stands for "duplicates"; did you mean our "Duplicate"?'
    ]
    assert (site / "contract.yaml").read_bytes() == SAMPLE.read_bytes()
    assert rules_of(site).local_names("affects_versions") == ("versions",)
    mapping = site / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace("# Duplicate: duplicates    # perhaps", "Duplicate: duplicates"))
    _, found, _ = filesync("-c", site / "filesync.yaml", "check", "--json")
    assert [one["what"] for one in found if one["problems"]] == ["exchanges"]


def test_what_jira_does_not_let_us_see_is_told_and_nothing_is_left_behind(
    jira: JiraSite, token: Path, tmp_path: Path, filesync: Filesync
) -> None:
    site = tmp_path / "acme"
    with JiraSite(jira.flavour, context="/jira") as below:
        wrong = {
            "project": ("ABX", 'our account sees no project "ABX"; did you mean "ABC"?'),
            "url": (below.url.removesuffix("/jira"), "(404)"),
            "token-file": (str(tmp_path / "nowhere"), "there is no file"),
        }
        for option, (value, said) in wrong.items():
            status, _, err = filesync("init", site, "--name", "acme", *beside(jira, token, **{option: value}))
            assert status in {ExitCode.TRACKER, ExitCode.CONFIG}
            assert said in err
            assert "Nothing was made: mend that and run it again" in err
            assert not site.exists()
    jira.faults.login_page(times=9)
    _, _, err = filesync("init", site, "--name", "acme", *beside(jira, token))
    assert f"is tracker.settings.url ({jira.url}) the address of Jira itself?" in err
    assert not site.exists()


def test_a_site_that_could_not_ask_yet_drafts_later(jira: JiraSite, token: Path, tmp_path: Path, filesync: Filesync) -> None:
    site = tmp_path / "acme"
    kind = "jira-cloud" if jira.flavour.cloud else "jira-dc"
    out = filesync("init", site, "--name", "acme", "--tracker", kind, "--project", "ABC")[1]
    assert f"First: write into {site}/filesync.yaml where the tracker is and who we are" in out
    config = site / "filesync.yaml"
    said = config.read_text().replace("https://jira.example.org", jira.url).replace("https://example.atlassian.net", jira.url)
    config.write_text(said.replace("filesync@example.org", jira.email))
    (site / "keys" / "jira-token").touch(mode=0o600)
    (site / "keys" / "jira-token").write_text(jira.token)
    status, told, _ = filesync("-c", config, "draft", "--json")
    assert status == ExitCode.DONE
    assert (told["contract"], told["mapping"]) == ("drafted", "drafted")
    assert "story_points" in rules_of(site).contract.fields


def test_our_own_tracker_is_held_against_the_partners_contract(tmp_path: Path, filesync: Filesync) -> None:
    agreed = tmp_path / "agreed.yaml"
    agreed.write_text(
        "version: 1\ntypes: [bug, task]\nstatuses: [to do, done]\nfields:\n"
        "  summary: {kind: text}\n  due: {kind: date}\n  Priority_: {kind: text}\n"
    )
    status, _, err = filesync("init", tmp_path / "globex", "--name", "globex", "--contract", agreed)
    assert status == ExitCode.CONFIG
    assert "Priority_" in err
    assert not (tmp_path / "globex").exists()
    agreed.write_text(agreed.read_text().replace("  Priority_: {kind: text}\n", ""))
    status, out, _ = filesync("init", tmp_path / "globex", "--name", "globex", "--contract", agreed)
    assert status == ExitCode.DONE
    assert '\n  fields: nothing here stands for "due"; did you mean our "due_date"?\n' in out
    rule = rules_of(tmp_path / "globex").rule("type")
    assert rule is not None
    assert dict(rule.words.listed) == {"Bug": "bug", "Task": "task"}


def test_a_contract_that_is_there_is_not_written_over(tmp_path: Path, filesync: Filesync) -> None:
    site, agreed = tmp_path / "acme", tmp_path / "agreed.yaml"
    filesync("init", site, "--name", "acme")
    agreed.write_text("version: 1\ntypes: [Bug]\nfields: {summary: {kind: text}}\n")
    assert filesync("-c", site / "filesync.yaml", "draft", "--contract", agreed)[0] == ExitCode.DONE  # `init`'s, untouched
    assert (site / "contract.yaml").read_bytes() == agreed.read_bytes()
    status, out, _ = filesync("-c", site / "filesync.yaml", "draft")
    assert status == ExitCode.NOTHING
    assert "To have the contract or the mapping drafted anew, move it away and" in out
    agreed.write_text(agreed.read_text().replace("version: 1", "version: 2"))
    status, _, err = filesync("-c", site / "filesync.yaml", "draft", "--contract", agreed)
    assert status == ExitCode.CONFIG
    assert "is there already, and is not the contract in" in err
    assert "version: 1" in (site / "contract.yaml").read_text()


@pytest.mark.parametrize("option", ["--url=https://jira.example.org", "--token-env=T"])
def test_what_only_a_jira_has_is_refused_beside_our_own_tracker(option: str, tmp_path: Path, filesync: Filesync) -> None:
    status, _, err = filesync("init", tmp_path / "acme", "--name", "acme", option)
    assert status == ExitCode.USAGE
    assert "only a Jira is asked over the network" in err


def test_who_we_are_may_come_from_the_environment_or_a_keyring(tmp_path: Path, filesync: Filesync) -> None:
    for number, (option, line) in enumerate(
        {"--token-env=TOKEN": "token_env: TOKEN", "--token-keyring=jira": "token_keyring: jira"}.items()
    ):
        site = tmp_path / f"site{number}"
        assert (
            filesync("init", site, "--name", "acme", "--tracker", "jira-cloud", "--user", "a@b.example", option)[0]
            == ExitCode.DONE
        )
        text = (site / "filesync.yaml").read_text()
        assert f"\n    {line}\n" in text
        assert '\n    user: "a@b.example"\n' in text
        assert "token_file" not in text


def test_what_something_was_exchanged_under_is_kept_though_nobody_touched_it(pair: Pair, tmp_path: Path) -> None:
    files = [pair.acme.parent / name for name in ("contract.yaml", "mapping.yaml")]
    before = [file.read_bytes() for file in files]
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    assert pair.at_acme("export")[0] == ExitCode.DONE
    status, out, _ = pair.at_acme("draft")
    assert status == ExitCode.NOTHING
    assert "To have the mapping drafted anew, move it away and run `filesync draft` again.\nSomething was exchanged" in out
    other = tmp_path / "other.yaml"
    other.write_text("version: 2\ntypes: [Bug]\nfields: {summary: {kind: text}}\n")
    status, _, err = pair.at_acme("draft", "--contract", other)
    assert status == ExitCode.CONFIG
    assert "A contract that is in use is changed by `filesync contract propose`." in err
    assert [file.read_bytes() for file in files] == before
