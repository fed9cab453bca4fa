"""What becomes of a call: data, words, another try, or a doubt."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from filesync.errors import Gone, Rejected, Unavailable
from filesync.trackers.jira.rest.http import Http, Unknown
from tests.trackers.jira.stub import NOT_US, Clock, Reply, Stub, page, said

Make = Callable[..., Http]
BUSY = said({"errorMessages": ["Rate limit exceeded."]}, status=429)
DOWN = Reply(status=503, body=b"upstream is down")
LOST = Reply(lost=True)


def test_data_is_decoded_and_fractions_keep_their_digits(jira: Make, stub: Stub) -> None:
    stub.play(Reply(body=b'{"key": "ABC-1", "points": 0.1, "big": 12345678901234567890123}'))
    assert jira().get("rest/api/2/issue/1") == {"key": "ABC-1", "points": Decimal("0.1"), "big": 12345678901234567890123}
    stub.play(Reply(status=204))
    assert jira().send("PUT", "rest/api/2/issue/1", body={"points": Decimal("0.10")}) is None
    assert stub.seen[-1].body == b'{"points":0.10}'


def test_we_say_who_we_are(jira: Make, stub: Stub) -> None:
    jira().get("rest/api/2/field", params={"query": "a b&c"})
    assert stub.asked == ["GET /rest/api/2/field?query=a+b%26c"]
    headers = stub.seen[0].headers
    assert headers["authorization"] == "Bearer s3cret-T0ken"
    assert headers["user-agent"].startswith("filesync/")


@pytest.mark.parametrize("passing_by", [BUSY, DOWN, LOST, Reply(status=502), Reply(status=504), Reply(status=500)], ids=str)
def test_what_only_reads_is_tried_again(jira: Make, stub: Stub, passing_by: Reply) -> None:
    stub.play(passing_by, passing_by, said({"total": 0}))
    assert jira().ask("rest/api/2/search", body={"jql": "project = ABC"}) == {"total": 0}
    assert stub.asked == ["POST /rest/api/2/search"] * 3


@pytest.mark.parametrize("lost", [LOST, Reply(status=500), Reply(status=502), Reply(status=504), DOWN], ids=str)
def test_trap18_a_write_whose_outcome_nobody_knows_is_not_done_again(jira: Make, stub: Stub, lost: Reply) -> None:
    stub.play(lost, said({"id": "10001"}, status=201))
    with pytest.raises(Unknown, match="did not say whether it did POST rest/api/2/issue"):
        jira().send("POST", "rest/api/2/issue", body={})
    assert len(stub.asked) == 1


def test_a_write_that_says_it_went_well_in_no_words_of_jira_is_a_doubt(jira: Make, stub: Stub) -> None:
    stub.play(Reply(status=201, body=b'{"id": "100'))
    with pytest.raises(Unknown):
        jira().send("POST", "rest/api/2/issue", body={})


def test_a_write_that_was_not_done_is_done_again(jira: Make, stub: Stub) -> None:
    stub.play(BUSY, said({"id": "10001"}, status=201))
    assert jira().send("POST", "rest/api/2/issue", body={"a": 1}) == {"id": "10001"}
    assert [one.json for one in stub.seen] == [{"a": 1}, {"a": 1}]


def test_a_write_that_may_be_done_twice_is_tried_again(jira: Make, stub: Stub) -> None:
    stub.play(LOST, Reply(status=204))
    jira().send("DELETE", "rest/api/2/issue/10001", idempotent=True)
    assert stub.asked == ["DELETE /rest/api/2/issue/10001"] * 2


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({"Retry_After": "7"}, 7.0), ({"Retry_After": "0"}, 1.0), ({}, 1.0), ({"Retry_After": "soon"}, 1.0)],
    ids=str,
)
def test_trap19_we_come_again_when_jira_says_and_never_at_once(
    jira: Make, stub: Stub, passing: Clock, headers: dict[str, str], waits: float
) -> None:
    stub.play(said({}, status=429, **headers), said({}))
    jira().get("rest/api/2/field")
    assert passing.slept == [waits]


def test_trap19_a_date_is_held_against_jiras_own_clock(jira: Make, stub: Stub, passing: Clock) -> None:
    when = {"Retry_After": "Mon, 23 Nov 2026 10:00:25 GMT", "Date": "Mon, 23 Nov 2026 10:00:05 GMT"}
    stub.answer = lambda seen: said({}, status=503, **when) if len(stub.seen) == 1 else said({})
    jira().get("rest/api/2/field")
    assert passing.slept == [20.0]


def test_f118_patience_ends_and_says_when_to_come_again(jira: Make, stub: Stub, passing: Clock) -> None:
    stub.play(said({}, status=429, Retry_After="3600"))
    http = jira()
    with pytest.raises(Unavailable, match=r"too much to do for us \(429, .*\) and asks us to wait 3600 s$") as first:
        http.get("rest/api/2/field")
    assert first.value.retry_after == 3600
    with pytest.raises(Unavailable, match="asked us to wait, for another 3600 s"):
        http.get("rest/api/2/status")
    assert len(stub.asked) == 1, "until then nobody asks"
    passing.at += 3600
    stub.play(said([]))
    assert http.get("rest/api/2/status") == []


def test_a_server_that_stays_down_is_asked_for_as_long_as_there_is_patience(jira: Make, stub: Stub, passing: Clock) -> None:
    stub.play(DOWN)
    with pytest.raises(Unavailable, match=r"cannot do GET rest/api/2/field now \(503, upstream is down\)"):
        jira(patience="20s").get("rest/api/2/field")
    assert passing.slept == [1.0, 2.0, 4.0, 8.0]


def test_an_internal_error_is_not_asked_for_long(jira: Make, stub: Stub) -> None:
    stub.play(said({"errorMessages": ["Search limit exceeded"]}, status=500))
    with pytest.raises(Unavailable, match="Search limit exceeded"):
        jira().get("rest/api/2/search")
    assert len(stub.asked) == 3


def test_no_server_at_all_is_told(jira: Make, stub: Stub) -> None:
    http = jira(url="http://127.0.0.1:9", patience="1s")
    with pytest.raises(Unavailable, match=r"Jira at 127\.0\.0\.1:9 does not answer GET rest/api/2/field: no connection"):
        http.get("rest/api/2/field")
    with pytest.raises(Unavailable) as caught:
        http.send("POST", "rest/api/2/issue", body={})
    assert not isinstance(caught.value, Unknown), "it cannot have arrived"


def test_refused_fields_are_told_by_name_and_escaped(jira: Make, stub: Stub) -> None:
    stub.play(
        said({"errorMessages": ["No.\x1b[31m"], "errors": {"summary": "Too\nlong", "due": "x" * 900}}, status=400),
    )
    with pytest.raises(Rejected) as caught:
        jira().send("POST", "rest/api/2/issue", body={})
    assert caught.value.fields["summary"] == "Too long"
    assert len(caught.value.fields["due"]) == 201
    assert "\x1b" not in str(caught.value)
    assert "No." in str(caught.value)


def test_errors_of_bulk_calls_are_read_too(jira: Make, stub: Stub) -> None:
    stub.play(said({"errors": [{"message": "Issue 1 is archived"}]}, status=400))
    with pytest.raises(Rejected, match="Issue 1 is archived"):
        jira().send("POST", "rest/api/2/issue/archive", body={})


@pytest.mark.parametrize(("cloud", "waits"), [(True, [2.0]), (False, [])], ids=["cloud", "dc"])
def test_trap19_cloud_is_spared_many_writes_to_one_issue(
    jira: Make, stub: Stub, passing: Clock, *, cloud: bool, waits: list[float]
) -> None:
    http = jira(cloud=cloud, requests_per_second=1000)
    for _ in range(21):
        http.send("PUT", "rest/api/2/issue/10001", body={}, about="10001")
    http.send("PUT", "rest/api/2/issue/10002", body={}, about="10002")
    assert passing.slept == waits


# ── what Jira did not say to us ─────────────────────────────────────────────────────────────────────────────────


def test_a_404_means_gone_where_jira_knows_us(jira: Make, stub: Stub) -> None:
    stub.play(said({"errorMessages": ["Issue Does Not Exist"], "errors": {}}, status=404))
    with pytest.raises(Gone, match="ABC-17 is gone"):
        jira().get("rest/api/2/issue/10017", gone="ABC-17 is gone")


def test_a_404_for_a_stranger_never_means_gone(jira: Make, stub: Stub) -> None:
    stub.play(said({"errorMessages": ["Issue Does Not Exist"], "errors": {}}, status=404))
    stub.us = NOT_US
    with pytest.raises(Unavailable, match=r"does not let our account in \(401\)"):
        jira().get("rest/api/2/issue/10017", gone="ABC-17 is gone")


def test_a_proxys_404_never_means_gone(jira: Make, stub: Stub) -> None:
    stub.play(page("404 Not Found", status=404))
    with pytest.raises(Unavailable, match='a page called "404 Not Found"'):
        jira().get("rest/api/2/issue/10017", gone="ABC-17 is gone")


def test_a_404_that_nobody_expected_points_to_the_address(jira: Make, stub: Stub) -> None:
    stub.play(said({}, status=404))
    with pytest.raises(Unavailable, match=r"has no GET rest/api/2/field \(404\)") as caught:
        jira().get("rest/api/2/field")
    assert "tracker.settings.url" in caught.value.hint


@pytest.mark.parametrize("headers", [{"X_AUSERNAME": "anonymous"}, {"X_Seraph_LoginReason": "AUTHENTICATED_FAILED"}], ids=str)
def test_data_for_anybody_is_not_taken_for_data_for_us(jira: Make, stub: Stub, headers: dict[str, str]) -> None:
    stub.play(said({"issues": []}, status=200, **headers))
    stub.us = NOT_US
    with pytest.raises(Unavailable, match="does not let our account in"):
        jira().get("rest/api/2/search")


def test_an_answer_that_names_nobody_is_doubted_where_others_named_us(jira: Make, stub: Stub) -> None:
    http = jira(cloud=True)
    stub.play(said([]), said([], X_AACCOUNTID="557058%3Aabc"), said([]))
    assert http.get("rest/api/2/field") == http.get("rest/api/2/field") == http.get("rest/api/2/field") == []
    assert http.requests["GET rest/api/2/myself"] == 1
    stub.us = NOT_US
    http = jira(cloud=True)
    stub.play(said([], X_AACCOUNTID="557058%3Aabc"), said([]))
    http.get("rest/api/2/field")
    with pytest.raises(Unavailable, match="does not let our account in"):
        http.get("rest/api/2/field")


def test_who_we_are_is_not_asked_before_every_refusal(jira: Make, stub: Stub) -> None:
    stub.play(said({}, status=404))
    http = jira()
    for number in range(10):
        with pytest.raises(Gone):
            http.get(f"rest/api/2/issue/{number}", gone="gone")
    assert http.requests["GET rest/api/2/myself"] == 1
    assert http.requests["GET rest/api/2/issue/{}"] == 10


def test_trap21_a_log_in_page_with_status_200_is_no_data(jira: Make, stub: Stub) -> None:
    stub.play(page("Log in - Jira"))
    with pytest.raises(Unavailable, match="with its log-in page") as caught:
        jira().get("rest/api/2/field")
    assert f"is tracker.settings.url ({stub.url}) the address of Jira itself?" in caught.value.hint
    with pytest.raises(Unavailable, match="with its log-in page"):
        jira().send("POST", "rest/api/2/issue", body={})


def test_a_redirect_is_not_followed_but_told(jira: Make, stub: Stub) -> None:
    stub.play(Reply(status=302, headers={"Location": "https://elsewhere.example/jira/secret?token=abc"}))
    with pytest.raises(Unavailable, match=r"sends GET rest/api/2/field to https://elsewhere\.example \(302\)") as caught:
        jira().get("rest/api/2/field")
    assert "abc" not in str(caught.value)


def test_a_captcha_is_told(jira: Make, stub: Stub) -> None:
    denied = {"X_Authentication_Denied_Reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example.org/login.jsp"}
    stub.play(said({}, status=403, **denied))
    with pytest.raises(Unavailable, match="wants a CAPTCHA solved"):
        jira().get("rest/api/2/field")


def test_a_site_that_is_read_only_is_no_refusal(jira: Make, stub: Stub) -> None:
    stub.play(said({"errorMessages": ["Jira is in read-only mode."]}, status=403))
    with pytest.raises(Unavailable, match="is in its read-only mode"):
        jira().send("POST", "rest/api/2/issue", body={})


def test_a_right_that_we_lack_is_a_refusal(jira: Make, stub: Stub) -> None:
    stub.play(said({"errorMessages": ["You may not do that."]}, status=403))
    with pytest.raises(Rejected, match=r"refuses PUT rest/api/2/issue/1 \(403\): You may not do that\."):
        jira().send("PUT", "rest/api/2/issue/1", body={})


def test_f121_a_gateways_403_is_no_refusal_of_one_issue(jira: Make, stub: Stub) -> None:
    stub.play(page("Access denied", status=403))
    with pytest.raises(Unavailable, match='a page called "Access denied"'):
        jira().send("PUT", "rest/api/2/issue/1", body={})
