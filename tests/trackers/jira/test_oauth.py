"""OAuth 2.0: tokens asked for, renewed before they end, and kept where the server gives new ones to refresh with."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from filesync.errors import KeyProblem, Unavailable
from filesync.trackers.jira.rest.http import Http
from tests.trackers.jira.stub import NOT_US, Clock, Reply, Seen, Stub, page, said

Make = Callable[..., Http]


@pytest.fixture
def server() -> Iterator[Stub]:
    """Gives tokens: token-1, token-2 …, and refresh tokens beside them where it was asked by one."""
    with Stub() as stub:
        stub.answer = lambda _: given(len(stub.seen))
        yield stub


def given(number: int, **more: object) -> Reply:
    return said({"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 3600} | more)


@pytest.fixture
def client(server: Stub, tmp_path: Path) -> dict[str, str]:
    for name in ("secret", "refresh"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(f"the {name}\n")
    return {"client_id": "filesync & co", "client_secret_file": "secret", "token_url": f"{server.url}/token"}


def form(seen: Seen) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}


def test_a_token_is_asked_for_once_and_used_until_shortly_before_it_ends(
    jira: Make, stub: Stub, server: Stub, client: dict[str, str], passing: Clock
) -> None:
    http = jira(token_file=None, oauth=client)
    http.get("rest/api/2/field")
    passing.at += 3600 - 61
    http.get("rest/api/2/field")
    passing.at += 1
    http.get("rest/api/2/field")
    assert [one.headers["authorization"] for one in stub.seen] == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert form(server.seen[0]) == {
        "client_id": "filesync & co",
        "client_secret": "the secret",
        "grant_type": "client_credentials",
    }
    assert "authorization" not in server.seen[0].headers


def test_a_token_that_ended_early_is_renewed(jira: Make, stub: Stub, server: Stub, client: dict[str, str]) -> None:
    http = jira(token_file=None, oauth=client)
    stub.answer = lambda seen: said([1]) if seen.headers["authorization"] == "Bearer token-2" else NOT_US
    assert http.send("POST", "rest/api/2/issue", body={}) == [1]
    stub.answer = lambda _: NOT_US
    with pytest.raises(Unavailable, match="does not let our account in"):
        http.get("rest/api/2/field")
    assert len(server.seen) == 3


def test_threads_ask_for_one_token(jira: Make, stub: Stub, server: Stub, client: dict[str, str]) -> None:
    http = jira(token_file=None, oauth=client)
    stub.answer = lambda seen: NOT_US if seen.headers["authorization"] == "Bearer token-1" else said([1])
    with ThreadPoolExecutor(8) as crew:
        assert list(crew.map(lambda _: http.get("rest/api/2/field"), range(16))) == [[1]] * 16
    assert len(server.seen) == 2


def test_a_new_refresh_token_is_kept_before_the_old_one_is_void(
    jira: Make, server: Stub, client: dict[str, str], tmp_path: Path, passing: Clock
) -> None:
    file = tmp_path / "refresh"
    server.answer = lambda _: given(len(server.seen), refresh_token=f"refresh-{len(server.seen)}")
    http = jira(token_file=None, oauth=client | {"refresh_token_file": "refresh"})
    assert (form(server.seen[0])["grant_type"], form(server.seen[0])["refresh_token"]) == ("refresh_token", "the refresh")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("refresh-1\n", 0o600)
    passing.at += 3600
    http.get("rest/api/2/field")
    assert form(server.seen[1])["refresh_token"] == "refresh-1"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["refresh", "secret", "token"]


def test_a_refresh_token_that_cannot_be_kept_is_not_lost(
    jira: Make, server: Stub, client: dict[str, str], tmp_path: Path, passing: Clock
) -> None:
    http = jira(token_file=None, oauth=client | {"refresh_token_file": "refresh"})
    server.answer = lambda _: given(len(server.seen), refresh_token=f"refresh-{len(server.seen)}")
    (tmp_path / ".refresh.new").mkdir()
    (tmp_path / ".refresh.new" / "in the way").touch()
    passing.at += 3600
    for _ in range(2):
        with pytest.raises(Unavailable, match="the new refresh token cannot be kept") as caught:
            http.get("rest/api/2/field")
        assert "do not stop filesync" in caught.value.hint
    assert len(server.seen) == 2, "the one that it has would be void"
    (tmp_path / ".refresh.new" / "in the way").unlink()
    (tmp_path / ".refresh.new").rmdir()
    assert http.get("rest/api/2/field") == {}
    assert (form(server.seen[2])["refresh_token"], (tmp_path / "refresh").read_text()) == ("refresh-2", "refresh-3\n")


def test_a_refresh_token_that_stays_is_not_written_again(
    jira: Make, server: Stub, client: dict[str, str], tmp_path: Path
) -> None:
    before = (tmp_path / "refresh").stat()
    server.answer = lambda _: given(1, refresh_token="the refresh")
    jira(token_file=None, oauth=client | {"refresh_token_file": "refresh"})
    assert (tmp_path / "refresh").stat().st_ino == before.st_ino


def test_a_server_that_gives_no_token_says_why(jira: Make, server: Stub, client: dict[str, str]) -> None:
    server.play(said({"error": "invalid_grant", "error_description": "the secret is expired"}, status=400))
    server.answer = server._played
    with pytest.raises(Unavailable, match=r"gives us no token \(400\): invalid_grant; \*\*\* is expired") as caught:
        jira(token_file=None, oauth=client)
    assert "authorised anew" in caught.value.hint


@pytest.mark.parametrize(
    "reply",
    [said({}), said({"access_token": "a\nb"}), said([]), page("Log in"), Reply(status=503), Reply(lost=True)],
    ids=["none", "bent", "list", "page", "down", "lost"],
)
def test_whatever_else_it_says_is_no_token(jira: Make, server: Stub, client: dict[str, str], reply: Reply) -> None:
    server.answer = lambda _: reply
    with pytest.raises(Unavailable, match="the token server 127"):
        jira(token_file=None, oauth=client)


def test_a_secret_that_others_may_read_is_not_sent(jira: Make, server: Stub, client: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(KeyProblem, match="others may read"):
        jira(token_file=None, oauth=client)
    assert server.seen == []


def test_a_server_that_is_down_makes_the_tracker_unavailable_for_now(
    jira: Make, stub: Stub, server: Stub, client: dict[str, str], passing: Clock
) -> None:
    http = jira(token_file=None, oauth=client)
    passing.at += 3600
    whole, server.answer = server.answer, lambda _: Reply(status=502)
    with pytest.raises(Unavailable, match="gives us no token"):
        http.get("rest/api/2/field")
    server.answer = whole
    assert http.get("rest/api/2/field") == {}
