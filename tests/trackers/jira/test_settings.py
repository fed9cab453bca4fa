"""`tracker.settings` of a Jira: everything that is wrong is told at once, with its place."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from filesync.bundle.schema import schema
from filesync.config import load_config, new_config
from filesync.errors import ConfigError
from filesync.model.ids import SiteId
from filesync.trackers.jira.jql import unclosed
from filesync.trackers.jira.kinds import KINDS
from filesync.trackers.jira.settings import JiraSettings, OAuth, Transition, problems, read_settings, statuses_of

SITE = SiteId("6f1c2f0e-7a54-4d39-9a3f-2f6f2f0b9c11")
LEAST: dict[str, Any] = {"url": "https://jira.example.org/", "token_file": "keys/jira"}
HEAD = f"version: 1\nsite: {{id: {SITE}, name: acme}}\ntracker:\n  kind: jira-dc\n  project: ABC\n"


def wrong(**given: object) -> list[tuple[tuple[str | int, ...], str]]:
    return list(problems({name: value for name, value in (LEAST | given).items() if value is not None}))


def told(folder: Path, text: str) -> list[str]:
    (folder / "filesync.yaml").write_text(HEAD + text)
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "filesync.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    settings = read_settings(LEAST, folder=tmp_path)
    assert settings == JiraSettings(url="https://jira.example.org", token_file=tmp_path / "keys/jira")


def test_times_sizes_days_and_paths_are_read(tmp_path: Path) -> None:
    given = LEAST | {"timeout": "2m", "max_answer_bytes": "1 MiB", "not_before": "2026-01-31", "ca_file": "/etc/ca.pem"}
    settings = read_settings(given | {"transitions": {"Open -> Done": {"name": "Close"}}}, folder=tmp_path)
    assert (settings.timeout, settings.max_answer_bytes) == (120.0, 1 << 20)
    assert (settings.not_before, settings.ca_file) == (dt.date(2026, 1, 31), Path("/etc/ca.pem"))
    assert settings.transitions == {"Open -> Done": Transition(name="Close")}


@pytest.mark.parametrize("kind", KINDS)
def test_what_init_writes_can_be_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "filesync.yaml").write_text(new_config(site=SITE, name="acme", tracker=kind, project="ABC"))
    config = load_config(tmp_path / "filesync.yaml")
    settings = read_settings(config.tracker.settings, folder=config.tracker.base)
    assert settings.token_file == tmp_path / "keys/jira-token"
    assert (settings.user is not None) == KINDS[kind]


def test_all_that_is_wrong_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    settings = (
        "  settings:\n    url: https://anna:pw@jira.example.org\n    token_file: a\n    token_env: B\n    scope: a ORDER BY b\n"
    )
    found = told(tmp_path, settings + "    transitions: {Open: {}, A -> B: {writes: [due]}, B -> B: {writes: [due]}}\n")
    assert found == [
        "filesync.yaml:7:10: holds a user or password: these have settings of their own",
        (
            "filesync.yaml:9:16: one of these is needed, and one alone, to show who we are: "
            "token_file, token_env, token_credential, token_keyring, oauth"
        ),
        "filesync.yaml:10:12: says which issues, not in which order: leave out ORDER BY",
        "filesync.yaml:11:25: a transition is named by its statuses, as in Open -> Closed",
        "filesync.yaml:11:46: fields are written by a transition that leads back, as in Open -> Open",
    ]


@pytest.mark.parametrize("name", ["scope", "incoming"])
def test_a_query_that_would_end_our_own_parentheses_is_refused(tmp_path: Path, name: str) -> None:
    settings = "  settings:\n    url: https://jira.example.org\n    token_file: a\n    "
    assert told(tmp_path, f'{settings}{name}: "a = 1) OR (b = 2"\n') == [
        f"filesync.yaml:9:{len(name) + 7}: closes a parenthesis that it does not open: mend the query"
    ]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("a = 1 AND (b = \"x)\" OR c = '(')", ""),
        ('a = "in \\" it (" AND b in (1, 2)', ""),
        ("a in (1, 2", "opens a parenthesis that it does not close"),
        ('a = "x', 'opens a quote " that it does not close'),
        ('a = "x\\"', 'opens a quote " that it does not close'),
        ("a = b\\", "ends with a backslash"),
    ],
)
def test_quotes_and_parentheses_of_a_query(query: str, wrong: str) -> None:
    assert unclosed(query) == wrong


def test_words_that_nobody_knows_and_shapes_that_do_not_fit_are_told(tmp_path: Path) -> None:
    text = "  settings:\n    urll: https://jira.example.org\n    timeout: 0s\n    sweep: 0\n    oauth: {client_id: x}\n    notify: no\n"
    found = told(tmp_path, text)
    assert 'filesync.yaml:7:5: unknown key "urll"; did you mean "url"?' in found
    assert any(one.startswith("filesync.yaml:8:14: ") and "above 0" in one for one in found)
    assert "filesync.yaml:9:12: must be from 1 to 1000000" in found
    assert 'filesync.yaml:10:12: "token_url" is missing' in found
    assert "filesync.yaml:11:13: must be true or false" in found


def test_a_header_that_cannot_be_filled_in_is_told_where_it_stands(tmp_path: Path) -> None:
    text = "  settings:\n    url: https://jira.example.org\n    token_file: a\n"
    (why,) = told(tmp_path, text + "    header: '{autor} wrote'\n")
    assert why.startswith('filesync.yaml:9:13: "{autor}" is not filled in')
    assert why.endswith('did you mean "author"?')
    (why,) = told(tmp_path, text + '    header: "a\\nb"\n')
    assert why == (
        'filesync.yaml:9:13: "a\\nb" does not fit; expected: one line of at most 200 characters, '
        "perhaps with {author}, {date} and {key}"
    )


def test_a_jira_needs_settings(tmp_path: Path) -> None:
    assert told(tmp_path, "") == ['filesync.yaml:4:3: "settings" is missing']


def test_a_kind_that_nobody_knows_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "filesync.yaml").write_text(HEAD.replace("jira-dc", "jira"))
    with pytest.raises(ConfigError, match=r'filesync\.yaml:4:9: there is no tracker of the kind "jira"; there are'):
        load_config(tmp_path / "filesync.yaml")


@pytest.mark.parametrize(
    "url",
    ["jira.example.org", "ftp://jira.example.org", "https://", "https://jira.example.org:99999", "https://a b.example", 3],
)
def test_an_address_that_is_none_is_told(url: object) -> None:
    assert [at for at, _ in wrong(url=url)] == [("url",)]


def test_the_address_ends_before_rest() -> None:
    assert wrong(url="https://jira.example.org/rest/api/2") == [
        (("url",), "ends before /rest: give the address that people use")
    ]
    assert wrong(url="https://jira.example.org/restaurant") == []


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"token_file": None}, ()),
        ({"user": "anna", "token_file": None, "oauth": {}}, ("user",)),
        ({"token_file": None, "oauth": {"token_url": "auth.example.org"}}, ("oauth", "token_url")),
        ({"proxy": "http://anna:pw@proxy:3128"}, ("proxy",)),
        ({"proxy_user": "anna", "proxy_password_file": "pw"}, ("proxy_user",)),
        ({"proxy": "http://proxy:3128", "proxy_user": "anna"}, ("proxy_user",)),
        ({"url": "http://jira.example.org"}, ("url",)),
        ({"url": "http://192.0.2.2:8080"}, ("url",)),
        ({"client_key": "key.pem"}, ("client_key",)),
        ({"create_missing": ["sprints"]}, ("create_missing",)),
        ({"create_missing": ["versions"], "sprint_board": 1}, ("sprint_board",)),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_told(given: dict[str, object], where: tuple[str, ...]) -> None:
    assert [at for at, _ in wrong(**given)] == [where]


def test_secrets_do_not_lie_where_the_carrier_comes(tmp_path: Path) -> None:
    text = "  settings:\n    url: https://jira.example.org\n    oauth:\n      client_id: x\n      token_url: https://auth.example.org\n"
    text += "      client_secret_file: outbox/secret\n      refresh_token_file: inbox/../inbox/token\n    proxy: http://proxy:3128\n"
    found = told(
        tmp_path, text + "    proxy_user: x\n    proxy_password_file: keys/proxy\n    client_certificate: ~nobody-here/a\n"
    )
    assert [one.split(":", 3)[1:3] for one in found] == [["11", "27"], ["12", "27"], ["16", "25"]]
    assert "client_secret_file lies in the outbox, where the carrier reads and writes" in found[0]


def test_a_step_of_a_workflow_is_named_by_its_statuses() -> None:
    assert statuses_of("In Progress -> Won't Do") == ("In Progress", "Won't Do")
    with pytest.raises(ValueError, match="not a step"):
        statuses_of("Open")


def test_the_published_schema_and_the_settings_name_the_same() -> None:
    jira = schema("config")["$defs"]["jira"]["properties"]
    assert set(jira) == set(JiraSettings.__struct_fields__)
    assert set(jira["oauth"]["properties"]) == set(OAuth.__struct_fields__)
    assert set(jira["transitions"]["additionalProperties"]["properties"]) == set(Transition.__struct_fields__)


def test_every_setting_stands_in_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "jira.md").read_text()
    assert [name for name in JiraSettings.__struct_fields__ if f"`{name}`" not in page] == []
