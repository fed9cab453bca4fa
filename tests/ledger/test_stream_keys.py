"""From where on nothing is taken, where keys were revoked more than once."""

from __future__ import annotations

from filesync.ledger.stream_keys import StreamKey, last_revocation
from filesync.model.ids import Mark, make_mark


def place(seq: int) -> Mark:
    return make_mark(1, seq, 0)


def key(since: int, revoked: int | None = None) -> StreamKey:
    return StreamKey(since=place(since), key=f"key {since}", revoked=place(revoked) if revoked is not None else None)


def test_keys_that_were_revoked_together_end_where_the_first_of_them_does() -> None:
    assert last_revocation([key(0, 43), key(50, 50)]) == place(43)


def test_a_second_theft_leaves_good_what_was_signed_between_the_two() -> None:
    assert last_revocation([key(0, 43), key(43, 100)]) == place(100)
    assert last_revocation([key(0, 43), key(43), key(70, 100)]) == place(100)
    assert last_revocation([key(0, 43), key(43, 60), key(70, 70)]) == place(60)
