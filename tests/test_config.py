"""filesync.yaml: what init writes can be read, what is wrong is named, and folders that must be apart are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.config import Config, ExchangeRules, InboxPolicy, Limits, clashes, load_config, new_config, template
from filesync.errors import ConfigError, ExitCode
from filesync.model.ids import SiteId

SITE = SiteId("6f1c2f0e-7a54-4d39-9a3f-2f6f2f0b9c11")
LEAST = f"version: 1\nsite: {{id: {SITE}, name: acme}}\ntracker: {{kind: embedded, project: ABC}}\n"


def loaded(folder: Path, text: str) -> Config:
    path = folder / "filesync.yaml"
    path.write_text(text)
    return load_config(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    assert caught.value.exit_code is ExitCode.CONFIG
    assert caught.value.hint
    return [str(problem) for problem in caught.value.problems]


def test_what_init_writes_is_what_is_read(tmp_path: Path) -> None:
    config = loaded(tmp_path, new_config(site=SITE, name="acme", tracker="embedded", project="ABC"))
    assert (config.site, config.name, config.path) == (SITE, "acme", tmp_path / "filesync.yaml")
    assert (config.tracker.kind, config.tracker.project, config.tracker.base) == ("embedded", "ABC", tmp_path)
    assert config.tracker.settings == {"path": "state/tracker.db"}
    assert (config.contract, config.mapping) == (tmp_path / "contract.yaml", tmp_path / "mapping.yaml")


def test_what_init_writes_states_the_defaults(tmp_path: Path) -> None:
    written = loaded(tmp_path, new_config(site=SITE, name="acme", tracker="embedded", project="ABC"))
    least = loaded(tmp_path, LEAST)
    assert written.limits == least.limits == Limits()
    assert written.folders == least.folders
    assert written.keys == least.keys
    assert written.inbox_policy is least.inbox_policy is InboxPolicy.MOVE
    assert written.exchanges == least.exchanges == {}


@given(
    name=st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True).filter(lambda name: name != "first"),
    project=st.text(min_size=1, max_size=60, alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))),
    site=st.uuids(),
)
def test_init_writes_any_name_and_project_so_that_it_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, project: str, site: object
) -> None:
    text = new_config(site=SiteId(str(site)), name=name, tracker="embedded", project=project)
    config = loaded(tmp_path_factory.mktemp("site"), text)
    assert (config.name, config.tracker.project, config.site) == (name, project, str(site))


def test_relative_paths_are_relative_to_the_file_and_come_out_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "filesync.yaml").write_text(LEAST + "folders: {outbox: ../usb/out, inbox: /media/in}\n")
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("site/filesync.yaml"))
    assert config.folders.outbox == tmp_path / "site/../usb/out"
    assert config.folders.inbox == Path("/media/in")
    assert config.folders.spool == tmp_path / "site/state/spool"
    assert config.folders.stage == tmp_path / "site/state/stage"


def test_a_path_may_start_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/sync")
    assert loaded(tmp_path, LEAST + "keys: {signing: ~/key}\n").keys.signing == Path("/home/sync/key")
    found = problems(tmp_path, LEAST + "keys: {signing: ~no-such-user-here/key}\n")
    assert found[0].startswith("filesync.yaml:4:17: no path: ")


def test_every_setting_is_read(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        LEAST
        + """\
inbox_policy: keep
keys: {command: [ssh-keygen, -Y, sign], age: a.txt, allowed_signers: who}
limits: {max_bundle_bytes: 18 MiB, max_changes: 5, settle: 90s, grace: 2d, window: 7, level: 19, report_every: 2h,
  keep_bundles: 9, keep_for: 90d, workers: 8}
exchanges:
  north: {contract: north.yaml}
  south: {mapping: south.yaml}
  west: {mapping: null}
mapping: mapping.yaml
""",
    )
    assert config.inbox_policy is InboxPolicy.KEEP
    assert config.keys.signing is None
    assert config.keys.command == ("ssh-keygen", "-Y", "sign")
    assert config.keys.age == tmp_path / "a.txt"
    assert config.limits == Limits(
        max_bundle_bytes=18 << 20,
        max_changes=5,
        settle=dt.timedelta(seconds=90),
        grace=dt.timedelta(days=2),
        window=7,
        report_every=dt.timedelta(hours=2),
        keep_bundles=9,
        keep_for=dt.timedelta(days=90),
        level=19,
        workers=8,
    )
    own = ExchangeRules(contract=tmp_path / "contract.yaml", mapping=tmp_path / "mapping.yaml")
    assert config.rules_of("unheard-of") == own
    assert config.rules_of("north") == ExchangeRules(contract=tmp_path / "north.yaml", mapping=own.mapping)
    assert config.rules_of("south") == ExchangeRules(contract=own.contract, mapping=tmp_path / "south.yaml")
    assert config.rules_of("west") == ExchangeRules(contract=own.contract, mapping=None)


def test_a_ledger_elsewhere_is_refused_not_ignored(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, LEAST + "ledger: postgresql://filesync@db/filesync\n")
    assert "ledger" in problem


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = "version: 2\nsite: {id: 1, name: Acme}\ntracker: {kind: embedded}\nlimits: {settle: 10, max_bundel_bytes: 1}\n"
    found = problems(tmp_path, text)
    assert [line.split(": ")[0] for line in found] == [
        "filesync.yaml:1:10",
        "filesync.yaml:2:12",
        "filesync.yaml:2:21",
        "filesync.yaml:3:10",
        "filesync.yaml:4:18",
        "filesync.yaml:4:22",
    ]
    assert 'did you mean "max_bundle_bytes"?' in found[5]


@pytest.mark.parametrize("name", ["Acme", "1acme", "a" * 33, "ac me", "acme\\n", "../acme", ""])
def test_names_of_sites_keep_their_grammar(tmp_path: Path, name: str) -> None:
    assert problems(tmp_path, LEAST.replace("name: acme", f'name: "{name}"'))


def test_a_site_is_not_called_first(tmp_path: Path) -> None:
    assert "take another name" in problems(tmp_path, LEAST.replace("name: acme", "name: first"))[0]


def test_f58_inbox_that_is_the_outbox_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, LEAST + "folders: {outbox: same, inbox: same}\n")
    assert found == [f"filesync.yaml:4:32: inbox is the same folder as outbox: {tmp_path / 'same'}"]


def test_f58_folders_inside_each_other_are_refused_each_by_name(tmp_path: Path) -> None:
    found = problems(tmp_path, LEAST + "folders: {outbox: box, inbox: box/in, guard: state/guard}\n")
    assert found == [
        f"filesync.yaml:4:31: inbox is inside outbox: {tmp_path / 'box/in'}",
        f"filesync.yaml:4:46: guard is inside state: {tmp_path / 'state/guard'}",
    ]


def test_f58_a_link_does_not_hide_that_two_folders_are_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = problems(tmp_path, LEAST + "folders: {outbox: real, inbox: link}\n")
    assert "the same folder as outbox" in found[0]
    assert "inside outbox" in problems(tmp_path, LEAST + "folders: {outbox: real, inbox: link/in}\n")[0]


def test_folders_whose_names_only_begin_alike_are_apart(tmp_path: Path) -> None:
    assert list(clashes({"outbox": tmp_path / "box", "inbox": tmp_path / "box2"})) == []
    assert [name for name, _ in clashes({"outbox": tmp_path / "box/out", "inbox": tmp_path / "box"})] == ["outbox"]


@pytest.mark.parametrize("key", ["signing", "age", "allowed_signers"])
@pytest.mark.parametrize("folder", ["outbox", "inbox"])
def test_keys_do_not_lie_where_the_carrier_reads_and_writes(tmp_path: Path, key: str, folder: str) -> None:
    found = problems(tmp_path, LEAST + f"keys: {{{key}: {folder}/mine}}\n")
    assert len(found) == 1
    assert f"{key} lies in the {folder}" in found[0]


def test_two_ways_to_sign_are_one_too_many(tmp_path: Path) -> None:
    found = problems(tmp_path, LEAST + "keys: {signing: key, command: [sign]}\n")
    assert found == ["filesync.yaml:4:31: give either `signing` or `command`, not both"]


@pytest.mark.parametrize(("size", "fits"), [("63 KiB", False), ("64 KiB", True), ("256 MiB", True), ("257 MiB", False)])
def test_bundles_are_neither_too_small_for_a_change_nor_too_large_for_a_partner(tmp_path: Path, size: str, fits: bool) -> None:
    text = LEAST + f"limits: {{max_bundle_bytes: {size}}}\n"
    if fits:
        assert loaded(tmp_path, text)
    else:
        assert "must be from 64 KiB to 256 MiB" in problems(tmp_path, text)[0]


def test_all_templates_are_there() -> None:
    assert all(template(name).startswith("# ") for name in ("filesync.yaml", "contract.yaml", "mapping.yaml"))


MAIL = "mail: {server: smtp.example.org, from: filesync@example.org, to: [anna@example.org]"


def test_mail_has_the_port_and_the_silence_that_go_with_the_rest(tmp_path: Path) -> None:
    mail = loaded(tmp_path, f"{LEAST}{MAIL}}}\nlimits: {{report_every: 3d}}\n").mail
    assert mail is not None
    assert (mail.port, mail.security, mail.silence, mail.values) == (587, "starttls", dt.timedelta(days=6), False)
    assert mail.topics == {"conflicts", "trouble", "silence"}
    mail = loaded(
        tmp_path, f"{LEAST}{MAIL}, security: tls, user: me, password_file: keys/m, what: [silence], silence: 5d}}\n"
    ).mail
    assert mail is not None
    assert (mail.port, mail.password_file, mail.silence) == (465, tmp_path / "keys/m", dt.timedelta(days=5))
    assert mail.topics == {"silence"}
    assert loaded(tmp_path, LEAST).mail is None


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("user: me", "user without password_file"),
        ("password_file: m", "password_file without user"),
        ("password_file: outbox/m, user: me", "password_file lies in the outbox"),
        ("security: none, user: me, password_file: m", "mail.security is none: whoever is on the way could read our password"),
        ('cc: "a@b.example"', 'unknown key "cc"'),
        ("silence: 0d", '"0d" does not fit'),
        ("what: trouble", "must be a list, as in [trouble]"),
    ],
)
def test_mail_that_cannot_work_or_should_not_is_refused(tmp_path: Path, more: str, problem: str) -> None:
    (found,) = problems(tmp_path, f"{LEAST}{MAIL}, {more}}}\n")
    assert problem in found


@pytest.mark.parametrize(
    "address", ["anna", "anna@", "a b@c.example", "anna@c.example\\r\\nBcc: otto@c.example", "a@b@c.example"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    (found,) = problems(tmp_path, LEAST + MAIL.replace("[anna@example.org]", f'["{address}"]') + "}\n")
    assert "expected: an address" in found


def test_a_server_of_this_machine_may_be_shown_a_password_in_the_open(tmp_path: Path) -> None:
    for server in ("localhost", "127.0.0.1", '"::1"'):
        text = MAIL.replace("smtp.example.org", server)
        assert loaded(tmp_path, f"{LEAST}{text}, security: none, user: me, password_file: m}}\n").mail
