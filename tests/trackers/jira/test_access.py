"""Who we are: secrets from where they are kept, and exchanged ones without a restart."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from filesync.errors import ExitCode, KeyProblem, Unavailable
from filesync.trackers.jira.rest.access import Token, read_secret, secret_of
from filesync.trackers.jira.rest.http import Http
from filesync.trackers.jira.settings import JiraSettings, read_settings
from tests.trackers.jira.stub import NOT_US, Reply, Seen, Stub, said

Make = Callable[..., Http]


def settings(**given: object) -> JiraSettings:
    return read_settings({"url": "https://jira.example.org", **given}, folder=Path("/nowhere"))


def authorization(**given: object) -> str:
    chosen = settings(**given)
    return Token(secret_of(chosen), user=chosen.user).header()


def test_a_token_is_sent_as_it_is_and_a_password_with_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_SECRET", "pass wörd")
    header = authorization(token_env="JIRA_SECRET", user="anna@example.org")
    assert header == "Basic " + base64.b64encode("anna@example.org:pass wörd".encode()).decode()
    with pytest.raises(KeyProblem, match="letters that no token has") as caught:
        authorization(token_env="JIRA_SECRET")
    assert "pass" not in str(caught.value)
    monkeypatch.setenv("JIRA_SECRET", "abc\n")
    assert authorization(token_env="JIRA_SECRET") == "Bearer abc"


def test_what_the_environment_does_not_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIRA_SECRET", raising=False)
    with pytest.raises(KeyProblem, match="the environment has no JIRA_SECRET") as caught:
        authorization(token_env="JIRA_SECRET")
    assert caught.value.exit_code is ExitCode.CONFIG


def test_systemd_hands_over_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(KeyProblem, match="no systemd credentials here") as caught:
        authorization(token_credential="jira")
    assert "LoadCredential=jira:" in caught.value.hint
    (tmp_path / "jira").write_text("abc\n")
    (tmp_path / "jira").chmod(0o440)  # as systemd shows a file that an access list guards
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert authorization(token_credential="jira") == "Bearer abc"


def test_a_keyring_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {("jira", "filesync"): "abc", ("jira", "anna"): "pw"}
    keyring = ModuleType("keyring")
    monkeypatch.setattr(keyring, "get_password", lambda service, user: held.get((service, user)), raising=False)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert authorization(token_keyring="jira") == "Bearer abc"
    assert authorization(token_keyring="jira", user="anna") == "Basic " + base64.b64encode(b"anna:pw").decode()
    with pytest.raises(KeyProblem, match="no secret of filesync for other") as caught:
        authorization(token_keyring="other")
    assert "keyring set other filesync" in caught.value.hint


def test_a_machine_without_a_keyring_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(KeyProblem, match="no keyring can be asked here"):
        authorization(token_keyring="jira")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(KeyProblem, match="not installed") as caught:
        authorization(token_keyring="jira")
    assert "filesync[keyring]" in caught.value.hint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(token_file: Path, mode: int) -> None:
    token_file.chmod(mode)
    with pytest.raises(KeyProblem, match=f"its mode is {mode:04o}") as caught:
        read_secret(token_file)
    assert f"chmod 600 {token_file}" in caught.value.hint


@pytest.mark.parametrize("raw", [b"", b"\n", b"two\nlines\n", b"\xff\xfe", b"a\x00b", b"x" * 20_000], ids=repr)
def test_a_file_that_holds_no_secret_is_told_without_it(token_file: Path, raw: bytes) -> None:
    token_file.write_bytes(raw)
    with pytest.raises(KeyProblem, match=r"must hold one line|holds no text") as caught:
        read_secret(token_file)
    assert "lines" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="there is no file"):
        read_secret(tmp_path / "none")
    with pytest.raises(KeyProblem, match="cannot read"):
        read_secret(tmp_path)


# ── with Jira ───────────────────────────────────────────────────────────────────────────────────────────────────


def let_in(token: str) -> Callable[[Seen], Reply]:
    return lambda seen: said([1]) if seen.headers["authorization"] == f"Bearer {token}" else NOT_US


def test_a_token_that_was_exchanged_works_without_a_restart(jira: Make, stub: Stub, token_file: Path) -> None:
    http = jira()
    stub.answer = let_in("new")
    token_file.write_text("new\n")
    assert http.send("PUT", "rest/api/2/issue/1", body={}) == [1]
    assert [one.headers["authorization"] for one in stub.seen] == ["Bearer s3cret-T0ken", "Bearer new"]
    http.get("rest/api/2/field")
    assert len(stub.seen) == 3, "the old one is forgotten"


def test_a_session_that_was_logged_out_is_forgotten(jira: Make, stub: Stub, token_file: Path) -> None:
    http = jira()
    stub.play(said([], Set_Cookie="JSESSIONID=abc; Path=/"), NOT_US, said([1]))
    http.get("rest/api/2/field")
    token_file.write_text("new\n")
    assert http.get("rest/api/2/field") == [1]
    assert [one.headers.get("cookie") for one in stub.seen] == [None, "JSESSIONID=abc", None]


def test_a_token_that_is_refused_is_shown_once(jira: Make, stub: Stub) -> None:
    stub.play(said({}, status=401, X_Seraph_LoginReason="AUTHENTICATED_FAILED"))
    with pytest.raises(Unavailable, match=r"does not let our account in \(401, AUTHENTICATED_FAILED\)") as caught:
        jira().get("rest/api/2/field")
    assert "Renew" in caught.value.hint
    assert len(stub.seen) == 1, "each wrong one may lock the account"


def test_a_token_file_that_went_is_told_and_waited_for(jira: Make, stub: Stub, token_file: Path) -> None:
    http = jira()
    stub.answer = let_in("new")
    token_file.unlink()
    with pytest.raises(Unavailable, match="there is no file"):
        http.get("rest/api/2/field")
    token_file.touch(mode=0o600)
    token_file.write_text("new\n")
    assert http.get("rest/api/2/field") == [1]


def test_a_secret_that_is_not_there_at_first_is_a_matter_of_the_configuration(jira: Make, token_file: Path) -> None:
    token_file.unlink()
    with pytest.raises(KeyProblem, match="there is no file"):
        jira()


def test_what_jira_said_to_a_secret_that_was_exchanged_meanwhile_is_void(jira: Make, stub: Stub, token_file: Path) -> None:
    """It did not know the old one, and said so by a 404 as Cloud does at times."""
    http = jira()
    token_file.write_text("new\n")

    def answer(seen: Seen) -> Reply:
        known = seen.headers["authorization"] == "Bearer new"
        if seen.path.endswith("/myself"):
            return stub.us if known else NOT_US
        return said([1]) if known else said({}, status=404)

    stub.answer = answer
    assert http.get("rest/api/2/issue/1", gone="it is gone") == [1]
