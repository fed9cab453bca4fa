"""Whatever is answered: one line of words, bounded and without control codes, and never a fault of ours."""

from __future__ import annotations

import json
from contextlib import suppress

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from filesync.errors import Gone, Rejected, Unavailable
from filesync.trackers.jira.rest.answers import Answer, Garbled, data, said, wait_of
from filesync.trackers.jira.rest.refusals import Asked, refusal
from tests.trackers.jira.stub import page

words = st.text(max_size=2_000)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)
errors = st.fixed_dictionaries({}, optional={"errorMessages": values, "errors": values, "message": values, "error": values})
bodies = (
    st.binary(max_size=2_000)
    | (errors | values).map(lambda value: json.dumps(value).encode())
    | words.map(lambda text: f"<html><title>{text}".encode("utf-8", "replace"))
)
HEADERS = ["content-type", "location", "retry-after", "date", "x-seraph-loginreason", "x-authentication-denied-reason"]
headers = st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=200) | st.sampled_from(["text/html", "0", "/login.jsp"]))
answers = st.builds(Answer, st.integers(200, 599), headers, bodies)


@given(answers, st.booleans(), st.booleans(), st.sampled_from(["", "it is gone"]))
@example(Answer(400, {}, b'{"errors": {"a\\u001b[2J": ["\\u0000"]}}'), False, False, "")
@example(Answer(302, {"location": "//["}, b""), True, False, "")
def test_every_refusal_is_one_line_for_a_person(answer: Answer, reads: bool, a_file: bool, gone: str) -> None:
    asked = Asked(
        who="Jira at jira.example.org",
        what="GET rest/api/2/issue/1",
        base="https://jira.example.org",
        reads=reads,
        gone=gone,
        a_file=a_file,
    )
    trouble = refusal(asked, answer)
    assert isinstance(trouble.error, Unavailable | Rejected | Gone)
    for text in (str(trouble.error), trouble.error.hint, *getattr(trouble.error, "fields", {}).values()):
        assert text.isprintable()
        assert len(text) < 1_000
    if gone and isinstance(trouble.error, Gone):
        assert (answer.status, trouble.doubt) == (404, True)
    if not reads and answer.status >= 500:
        assert trouble.done or wait_of(answer) is not None or "read-only" in str(trouble.error)


@given(bodies)
def test_what_is_no_json_is_told_and_nothing_else_is_raised(body: bytes) -> None:
    with suppress(Garbled):
        found = data(Answer(200, {}, body))
        assert found is None or msgspec.json.encode(found)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_in_retry_after_is_a_time_to_wait_or_nothing(wait: str, date: str) -> None:
    found = wait_of(Answer(429, {"retry-after": wait, "date": date}, b""))
    assert found is None or 0 <= found <= 86_400


def test_the_title_of_a_page_is_what_it_says() -> None:
    body = page("502 Bad\n  Gateway").body
    assert isinstance(body, bytes)
    assert str(said(Answer(502, {}, body))) == 'a page called "502 Bad Gateway"'


def test_words_are_found_in_every_shape_that_gateways_use() -> None:
    for body in (
        {"message": "no"},
        {"error": "no"},
        {"error_description": "no"},
        {"errorMessage": "no"},
        {"errors": [{"message": "no"}]},
        {"errors": [{"errorMessages": ["no"], "errors": {}}]},
        {"errors": ["no"]},
        {"errorMessages": ["no"], "errors": {}},
        "no",
    ):
        assert str(said(Answer(400, {}, json.dumps(body).encode()))) == "no", body
    assert str(said(Answer(400, {}, b"no"))) == "no"
    assert str(said(Answer(400, {}, b""))) == "it says nothing more"
