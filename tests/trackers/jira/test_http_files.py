"""Attachments over HTTP: streamed both ways, to nobody else with our credentials, and never a page for people."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message

import pytest

from filesync.errors import DiskProblem, Gone, Unavailable
from filesync.trackers.jira.rest.http import Http, Unknown
from tests.trackers.jira.conftest import TOKEN
from tests.trackers.jira.stub import NOT_US, Clock, Reply, Seen, Stub, page, said

Make = Callable[..., Http]
PATH = "secure/attachment/10001/pump.log"
FILE = {"Content-Type": "application/octet-stream", "Content-Disposition": 'attachment; filename="pump.log"'}


@pytest.fixture
def media() -> Iterator[Stub]:
    """Another host, where Cloud keeps files."""
    with Stub() as server:
        yield server


def to(url: str, status: int = 303) -> Reply:
    return Reply(status=status, headers={"Location": url})


def fetched(http: Http, size: int = 4) -> bytes:
    return b"".join(http.download(PATH, size=size, gone="the attachment is gone"))


# ── download ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_fetched(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b"data", headers=FILE))
    assert fetched(jira()) == b"data"
    assert stub.seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert stub.seen[0].headers["accept-encoding"] == "identity"


def test_an_empty_file_is_fetched(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b"", headers=FILE))
    assert fetched(jira(), 0) == b""


def test_a_file_that_is_a_page_is_fetched_when_it_is_sent_as_a_file(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b"<html>", headers=FILE | {"Content-Type": "text/html"}))
    assert fetched(jira(), 6) == b"<html>"


def test_trap20_credentials_and_cookies_stay_with_jira(jira: Make, stub: Stub, media: Stub) -> None:
    http = jira()
    stub.play(said({}, status=200, Set_Cookie="JSESSIONID=abc; Path=/"))
    http.get("rest/api/2/field")
    stub.play(to(f"{stub.url}/elsewhere/1"), to(f"{media.url}/file/1?token=signed"))
    media.play(Reply(body=b"data", headers=FILE))
    assert fetched(http) == b"data"
    assert [("authorization" in one.headers, one.headers.get("cookie")) for one in stub.seen[1:]] == [
        (True, "JSESSIONID=abc")
    ] * 2
    (there,) = media.seen
    assert (there.path, there.headers.keys() & {"authorization", "cookie"}) == ("/file/1?token=signed", set())


def test_trap20_cookies_of_the_other_host_are_forgotten(jira: Make, stub: Stub, media: Stub) -> None:
    http = jira()
    stub.play(to(f"{media.url}/file/1"))
    media.play(Reply(body=b"data", headers=FILE | {"Set-Cookie": "who=us; Path=/"}))
    assert fetched(http) == fetched(http) == b"data"
    assert [one.headers.get("cookie") for one in (*media.seen, *stub.seen)] == [None] * 4


def test_trap20_redirects_come_to_an_end(jira: Make, stub: Stub) -> None:
    stub.play(to("/again"))
    with pytest.raises(Unavailable, match="from one address to the next"):
        fetched(jira())
    assert len(stub.asked) == 6


WRONG = ["ftp://files.example/1", "https://anna:pw@files.example/1", "http://[", "https:///1", "https://files.example:99999/1"]


@pytest.mark.parametrize("where", WRONG)
def test_trap20_no_address_is_followed_that_is_none(jira: Make, stub: Stub, where: str) -> None:
    stub.play(to(where))
    with pytest.raises(Unavailable, match="sends GET secure/attachment") as caught:
        fetched(jira())
    assert "pw" not in str(caught.value)


def test_trap20_a_name_that_no_host_can_have_is_told(jira: Make, stub: Stub, passing: Clock) -> None:
    stub.play(to("https://a\u00ad..b/1"))
    with pytest.raises(Unavailable, match="does not answer GET secure/attachment"):
        fetched(jira())


def test_trap22_a_token_that_is_sent_to_log_in_is_told(jira: Make, stub: Stub) -> None:
    stub.play(to("/login.jsp?permissionViolation=true&os_destination=%2Fsecure", 302))
    with pytest.raises(Unavailable, match="to its log-in page") as caught:
        fetched(jira())
    assert "give a user and password" in caught.value.hint


def test_a_file_may_be_called_login(jira: Make, stub: Stub, media: Stub) -> None:
    stub.play(to(f"{media.url}/file/login.png?name=login"))
    media.play(Reply(body=b"data", headers=FILE))
    assert fetched(jira()) == b"data"


@pytest.mark.parametrize("reply", [page("Log in - Jira"), page("Welcome", status=200)], ids=["login", "any page"])
def test_trap21_a_page_is_not_saved_as_a_file(jira: Make, stub: Stub, reply: Reply) -> None:
    stub.play(reply)
    with pytest.raises(Unavailable, match=r"with its log-in page|with a page called"):
        fetched(jira(), len(reply.body) if isinstance(reply.body, bytes) else 0)


@pytest.mark.parametrize("body", [b"dat", b"data!"], ids=["shorter", "longer"])
def test_trap21_another_size_than_was_said_is_told(jira: Make, stub: Stub, body: bytes) -> None:
    stub.play(Reply(body=body, headers=FILE))
    with pytest.raises(Unavailable, match=r"has \d bytes for GET secure/attachment/10001/pump\.log and said 4"):
        fetched(jira())
    stub.play(Reply(body=[body], headers=FILE))  # its length is not told beforehand
    with pytest.raises(Unavailable, match=r"(fewer|more) bytes"):
        fetched(jira())


def test_a_file_that_breaks_off_is_told(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b"da", headers=FILE | {"Content-Length": "4"}))
    with pytest.raises(Unavailable, match="the connection broke"):
        fetched(jira())


@pytest.fixture
def crawling(passing: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the clock finds it 70 seconds on."""

    def later() -> float:
        passing.at += 70
        return passing.at

    monkeypatch.setattr(passing, "now", later)


@pytest.mark.usefixtures("crawling")
def test_a_file_that_drips_is_given_up(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=(b"x" * 1000 for _ in range(10)), headers=FILE))
    with pytest.raises(Unavailable, match="a minute are the least") as caught:
        fetched(jira(), 10_000)
    assert "look at the line" in caught.value.hint


def test_whoever_takes_long_over_a_file_is_given_the_time(jira: Make, stub: Stub, passing: Clock) -> None:
    stub.play(Reply(body=(b"x" * 1000 for _ in range(5)), headers=FILE))
    came = 0
    for piece in jira().download(PATH, size=5_000):
        came += len(piece)
        passing.sleep(600)
    assert came == 5_000


def test_a_file_that_is_gone_is_told_as_such_where_jira_knows_us(jira: Make, stub: Stub) -> None:
    stub.play(page("Not found", status=404))
    with pytest.raises(Gone, match="the attachment is gone"):
        fetched(jira())
    stub.us = NOT_US
    with pytest.raises(Unavailable, match="does not let our account in"):
        fetched(jira())


def test_a_file_is_asked_for_again_before_its_first_byte(jira: Make, stub: Stub) -> None:
    stub.play(Reply(status=503), Reply(lost=True), Reply(body=b"data", headers=FILE))
    assert fetched(jira()) == b"data"


def test_a_signed_address_that_ran_out_is_asked_for_anew(jira: Make, stub: Stub, media: Stub) -> None:
    stub.play(to(f"{media.url}/file/1"))
    media.play(page("Expired", status=403), Reply(body=b"data", headers=FILE))
    assert fetched(jira()) == b"data"
    assert len(stub.asked) == 2


def test_a_large_file_takes_no_memory(jira: Make, stub: Stub) -> None:
    size, piece = 64 << 20, bytes(1 << 16)
    stub.play(Reply(body=(piece for _ in range(size // len(piece))), headers=FILE))
    http = jira(max_answer_bytes="1 MiB")
    tracemalloc.start()
    try:
        assert sum(map(len, http.download(PATH, size=size))) == size
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


# ── upload ──────────────────────────────────────────────────────────────────────────────────────────────────────

UPLOADED = said([{"id": "10000"}])


def attach(http: Http, name: str, *pieces: bytes, size: int | None = None) -> object:
    whole = sum(map(len, pieces)) if size is None else size
    path = "rest/api/2/issue/10001/attachments"
    return http.upload(path, name=name, size=whole, content=lambda: iter(pieces), about="10001", gone="the issue is gone")


def form(seen: Seen) -> Message:
    whole = message_from_bytes(b"Content-Type: " + seen.headers["content-type"].encode() + b"\r\n\r\n" + seen.body)
    parts = [part for part in whole.walk() if not part.is_multipart()]
    assert len(parts) == 1
    return parts[0]


def test_a_file_is_attached(jira: Make, stub: Stub) -> None:
    stub.play(UPLOADED)
    assert attach(jira(), "pump.log", b"\r\n--", b"data\0\xff") == [{"id": "10000"}]
    (seen,) = stub.seen
    assert seen.headers["x-atlassian-token"] == "no-check"
    assert "transfer-encoding" not in seen.headers
    assert form(seen).get_payload(decode=True) == b"\r\n--data\0\xff"
    assert form(seen).get_param("name", header="content-disposition") == "file"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Prüfung №1 €.pdf", "Prüfung №1 €.pdf"),
        ('a"b.txt', "a%22b.txt"),
        ("a\r\nX-Evil: 1\x00.txt", "aX-Evil: 1.txt"),
        ("half\ud800.txt", "half.txt"),
        ("../../etc/passwd", "../../etc/passwd"),
    ],
)
def test_trap23_a_name_is_sent_as_it_is_and_ends_where_it_ends(jira: Make, stub: Stub, name: str, sent: str) -> None:
    stub.play(UPLOADED)
    attach(jira(), name, b"data")
    assert f'name="file"; filename="{sent}"\r\n'.encode() in stub.seen[0].body


def test_an_upload_that_broke_off_is_a_doubt(jira: Make, stub: Stub) -> None:
    stub.play(Reply(lost=True), UPLOADED)
    with pytest.raises(Unknown, match="did not say whether it did POST rest/api/2/issue/10001/attachments"):
        attach(jira(), "pump.log", b"data")
    assert len(stub.asked) == 1


@pytest.mark.usefixtures("crawling")
def test_an_upload_that_drips_is_given_up_and_is_a_doubt(jira: Make) -> None:
    with pytest.raises(Unknown, match="a minute are the least"):
        jira().upload(
            "rest/api/2/issue/10001/attachments",
            name="a",
            size=10_000,
            content=lambda: (b"x" * 1000 for _ in range(10)),
            about="10001",
        )


def test_an_upload_that_was_turned_away_is_read_anew(jira: Make, stub: Stub, passing: Clock) -> None:
    stub.play(said({}, status=429, Retry_After="3"), UPLOADED)
    attach(jira(), "pump.log", b"data")
    assert [form(one).get_payload() for one in stub.seen] == ["data", "data"]
    assert passing.slept == [3.0]


@pytest.mark.parametrize("pieces", [(b"dat",), (b"data", b"!")], ids=["fewer", "more"])
def test_bytes_that_changed_since_are_not_attached(jira: Make, stub: Stub, pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(Unavailable, match="than the 4 bytes that it should have: it was not uploaded"):
        attach(jira(), "pump.log", *pieces, size=4)


def test_what_reading_the_content_raises_comes_through(jira: Make, stub: Stub) -> None:
    def failing() -> Iterator[bytes]:
        yield b"da"
        raise DiskProblem("the disk failed")

    with pytest.raises(DiskProblem, match="the disk failed"):
        jira().upload("rest/api/2/issue/1/attachments", name="a", size=4, content=failing, about="1")


def test_a_large_upload_takes_no_memory(jira: Make, stub: Stub) -> None:
    size, piece = 64 << 20, bytes(1 << 16)
    received: list[int] = []
    stub.swallow = received.append
    stub.play(UPLOADED)
    http = jira()
    tracemalloc.start()
    try:
        http.upload(
            "rest/api/2/issue/1/attachments", name="a", size=size, content=lambda: (piece for _ in range(1024)), about="1"
        )
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert sum(received) > size
