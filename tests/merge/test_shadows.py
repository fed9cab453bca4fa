"""However many marks are written once for all: every field's shadow is the one that was put there last."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.ids import NEVER, Gid, Kind, Mark, make_mark
from filesync.model.shadow import Entity, Shadow, Shadows
from filesync.model.values import EMPTY

NAMES = st.sampled_from(["summary", "status", "labels:x", "labels:y", "parent"])
DIGESTS = st.sampled_from(["a" * 32, "b" * 32, EMPTY])
PLACES = (NEVER, make_mark(1, 1, 1), make_mark(1, 2, 1))
MARKS = st.sampled_from(PLACES)
SHADOWS = st.dictionaries(NAMES, st.builds(Shadow, DIGESTS, MARKS, MARKS), min_size=1)
TOLD = st.tuples(st.dictionaries(NAMES, DIGESTS, min_size=1), MARKS)


@given(st.lists(SHADOWS | TOLD))
def test_shadows_are_those_that_were_put_there_last_also_after_they_were_kept(
    puts: list[dict[str, Shadow] | tuple[dict[str, str], Mark]],
) -> None:
    plain: dict[str, Shadow] = {}
    row = Entity(gid=Gid("g"), kind=Kind.ISSUE)
    for put in puts:
        match put:
            case dict():
                plain |= put
                row = row.with_shadows(put)
            case (told, mark):
                plain |= {name: Shadow(here, mark, plain.get(name, Shadow()).took) for name, here in told.items()}
                row = msgspec.structs.replace(row, shadows=row.shadows.telling(told, mark))
        kept = msgspec.json.decode(msgspec.json.encode(row.shadows), type=Shadows)
        row = msgspec.structs.replace(row, shadows=kept)
        assert row.fields == plain
        assert all(row.shadows.took_at(mark) == any(one.took == mark for one in plain.values()) for mark in PLACES)
        assert all(row.shadows.took_before(mark) == any(NEVER < one.took < mark for one in plain.values()) for mark in PLACES)
    assert row.shadow("never") == Shadow()
