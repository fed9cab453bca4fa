"""One value of a field, as Jira shows it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.values import FieldKind, normal
from filesync.trackers.jira.translate.shapes import Shape, epoch_ms, moment, shown, sprint, user_id, written

JAVA = "com.atlassian.greenhopper.service.sprint.Sprint@1a2b[{}]"


@pytest.mark.parametrize(
    ("shape", "json", "value"),
    [
        (Shape.TEXT, "a\r\nb\rc", "a\nb\nc"),
        (Shape.TEXT, "", None),
        (Shape.NUMBER, 12.0, "12"),
        (Shape.NUMBER, Decimal("0.1"), "0.1"),
        (Shape.NUMBER, 0.1, "0.1"),
        (Shape.NUMBER, 0, "0"),
        (Shape.NUMBER, Decimal("1E+14"), "100000000000000"),
        (Shape.NUMBER, "2.50", "2.5"),
        (Shape.DATE, "2026-11-22", "2026-11-22"),
        (Shape.DATETIME, "2019-06-04T02:53:33.665+0200", "2019-06-04T00:53:33.665Z"),
        (Shape.DATETIME, "2019-06-04T00:53:33.665Z", "2019-06-04T00:53:33.665Z"),
        (Shape.USER, {"name": "anna", "key": "JIRAUSER1"}, "anna"),
        (Shape.VALUE, {"id": "1", "value": "High", "self": "…"}, "High"),
        (Shape.NAME, {"id": "1", "name": "1.0"}, "1.0"),
        (Shape.CASCADE, {"value": "Pump", "child": {"value": "Seal"}}, ["Pump", "Seal"]),
        (Shape.CASCADE, {"value": "Pump", "child": None}, ["Pump"]),
        (Shape.PARENT, {"id": 10001, "key": "ABC-1"}, "10001"),
        (Shape.VALUE, None, None),
    ],
)
def test_values_have_one_text(shape: Shape, json: object, value: object) -> None:
    assert shown(shape, json, cloud=False) == value


@pytest.mark.parametrize(
    ("shape", "json"),
    [
        (Shape.TEXT, {"type": "doc"}),
        (Shape.NUMBER, "many"),
        (Shape.NUMBER, True),
        (Shape.NUMBER, Decimal("1E+4000")),
        (Shape.DATE, "tomorrow"),
        (Shape.DATE, "2026-02-31"),
        (Shape.DATETIME, "2026-11-22T10:00:00"),
        (Shape.DATETIME, "9999-12-31T23:59:59.999-1200"),
        (Shape.USER, {"displayName": "gone"}),
        (Shape.VALUE, "High"),
        (Shape.CASCADE, [{"value": "Pump"}]),
        (Shape.PARENT, {"id": None}),
        (Shape.NAME, {"name": {"a": [1.5]}}),
    ],
)
def test_what_has_no_known_form_is_neither_empty_nor_lost(shape: Shape, json: object) -> None:
    value = shown(shape, json, cloud=False)
    assert isinstance(value, str)
    assert value
    kind = {Shape.NUMBER: FieldKind.NUMBER, Shape.DATE: FieldKind.DATE, Shape.DATETIME: FieldKind.DATETIME}.get(shape)
    if kind is not None:
        with pytest.raises(ValueError):
            normal(kind, value)  # so the rules leave the field alone


def test_a_user_is_the_name_in_data_center_and_the_account_id_in_cloud() -> None:
    both = {"name": "anna", "accountId": "5:1", "displayName": "Anna"}
    assert (user_id(both, cloud=False), user_id(both, cloud=True)) == ("anna", "5:1")


@given(st.integers(0, 250_000_000_000_000), st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_the_same_in_every_offset(ms: int, minutes: int) -> None:
    at = dt.datetime(1970, 1, 2, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    text = at.astimezone(zone).isoformat(timespec="milliseconds")
    without_colon = text[:-3] + text[-2:]
    assert epoch_ms(text) == epoch_ms(without_colon) == epoch_ms(epoch_ms(text))
    assert moment(without_colon) == at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    assert moment(written(Shape.DATETIME, moment(text), cloud=False)) == moment(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**14), max_value=10**14))
def test_a_number_has_no_noise(number: Decimal) -> None:
    text = normal(FieldKind.NUMBER, str(number))
    assert shown(Shape.NUMBER, written(Shape.NUMBER, text, cloud=True), cloud=True) == text


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("id=3,rapidViewId=2,state=ACTIVE,name=S 1,startDate=<null>,goal=", (3, "S 1", False)),
        ("id=3,state=CLOSED,name=S 1, part [a],startDate=2026,goal=x=1, [y]", (3, "S 1, part [a]", True)),
        (
            "completeDate=<null>,endDate=<null>,goal=g, h,id=12,name=a=b,rapidViewId=2,sequence=12,state=FUTURE",
            (12, "a=b", False),
        ),
    ],
)
def test_trap26_a_sprint_in_javas_words(inside: str, found: tuple[int, str, bool]) -> None:
    assert sprint(JAVA.format(inside)) == found


def test_trap26_a_sprint_as_an_object() -> None:
    assert sprint({"id": 3, "name": "S 1", "state": "closed"}) == (3, "S 1", True)


@given(st.text(max_size=80).map(JAVA.format) | st.text(max_size=80) | st.dictionaries(st.text(), st.integers()))
def test_trap26_a_hostile_sprint_is_refused_or_read(text: object) -> None:
    try:
        number, name, _ = sprint(text)
    except ValueError:
        return
    assert number >= 0
    assert name
