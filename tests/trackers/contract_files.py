"""What a tracker owes for attachments: bytes in and out, unchanged, once for each origin. Part of the contract suite."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import About, Item, Ref
from filesync.trackers.base import Born, Draft, MarkDeleted, Remove, Write
from tests.trackers.bench import MARK, TRIED, Bench, gid

NAMES = {
    "plain": "A.png",
    "path": "../../etc/passwd",
    "windows": "CON.txt",
    "nfd": "Pru\u0308fstand.csv",
    "long": "x" * 300 + ".log",
    "hostile": "\x1b[2J\u202egnp.exe",
    "newline": "two\nlines",
}


def attach(bench: Bench, issue: str, content: bytes = b"bytes", *, name: str = "A.png", n: int = 1, tried: str = "") -> Born:
    fields = {"name": name, "size": str(len(content))}
    about = About(author="somebody")
    draft = Draft(kind=Kind.ATTACHMENT, issue=issue, fields=fields, about=about, content=lambda: iter([content]), tried=tried)
    return bench.tracker.create(gid(Kind.ATTACHMENT, n), draft)


def attachments(bench: Bench, issue: str) -> list[Item]:
    return [one for one in bench.issue(issue).children if one.ref.kind is Kind.ATTACHMENT]


def fetched(bench: Bench, ref: Ref) -> bytes:
    return b"".join(bench.tracker.fetch(ref))


class FilesContract:
    """Attachments: `create` with content, `fetch`, and that they never change."""

    def test_what_was_attached_is_what_is_fetched_and_shown(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        born = attach(bench, local, b"\x00\xff" * 1000)
        assert attachments(bench, local) == [born.item]
        assert born.item.fields == {"name": "A.png", "size": "2000"}
        assert fetched(bench, born.item.ref) == b"\x00\xff" * 1000
        assert b"".join(bench.reopen().fetch(born.item.ref)) == b"\x00\xff" * 1000

    def test_any_size_comes_back_in_pieces_of_a_few_mib(self, bench: Bench, subtests: pytest.Subtests) -> None:
        local = bench.create().item.ref.local
        for n, size in enumerate((0, 1, 3_000_000), start=1):
            with subtests.test(f"{size} bytes"):
                content = hashlib.shake_256(b"").digest(size)
                pieces = list(bench.tracker.fetch(attach(bench, local, content, n=n).item.ref))
                assert b"".join(pieces) == content
                assert all(len(piece) <= 4 << 20 for piece in pieces)

    def test_f75_a_name_is_data(self, bench: Bench, subtests: pytest.Subtests) -> None:
        """It is kept to the letter, or lands as a name of one line that leads to no other place."""
        for n, (what, name) in enumerate(NAMES.items(), start=1):
            with subtests.test(what):
                local = bench.create(n=n).item.ref.local
                born = attach(bench, local, name=name, n=n)
                landed = str(born.item.fields["name"])
                assert landed == name or (landed.isprintable() and not set(landed) & {"/", "\\"} and len(landed) <= 255)
                assert attachments(bench, local) == [born.item]
                assert fetched(bench, born.item.ref) == b"bytes"

    def test_f76_two_of_one_name_are_two(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        first = attach(bench, local, b"one")
        attach(bench, local, b"two", n=2)
        attach(bench, local, b"three", name="a.png", n=3)
        assert [fetched(bench, one.ref) for one in attachments(bench, local)] == [b"one", b"two", b"three"]
        bench.tracker.apply(first.item.ref, Remove(), MARK)
        assert [fetched(bench, one.ref) for one in attachments(bench, local)] == [b"two", b"three"]

    def test_a_second_create_answers_the_first(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        born = attach(bench, local)
        again = attach(bench, local, tried=TRIED)
        assert (again.again, again.item) == (True, born.item)
        assert attachments(bench, local) == [born.item]

    def test_content_that_ends_in_an_error_leaves_nothing(self, bench: Bench) -> None:
        local = bench.create().item.ref.local

        def broken() -> Iterator[bytes]:
            yield b"by"
            raise Rejected("the bytes are not those that were told")

        draft = Draft(kind=Kind.ATTACHMENT, issue=local, fields={"name": "A", "size": "2"}, about=About(), content=broken)
        with pytest.raises(Rejected, match="not those"):
            bench.tracker.create(gid(Kind.ATTACHMENT, 1), draft)
        assert attachments(bench, local) == []
        assert not attach(bench, local).again

    def test_another_size_than_told_is_refused(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        draft = Draft(
            kind=Kind.ATTACHMENT,
            issue=local,
            fields={"name": "A", "size": "3"},
            about=About(),
            content=lambda: iter([b"by"]),
        )
        with pytest.raises(Rejected):
            bench.tracker.create(gid(Kind.ATTACHMENT, 1), draft)
        assert attachments(bench, local) == []

    def test_an_attachment_never_changes(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        ref = attach(bench, local).item.ref
        with pytest.raises(Rejected) as caught:
            bench.tracker.apply(ref, Write({"name": "B.png"}), MARK)
        assert caught.value.fields.keys() == {"name"}

    def test_what_is_removed_is_gone(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        ref = attach(bench, local).item.ref
        for _ in range(2):
            assert bench.tracker.apply(ref, Remove(), MARK) == {}
        assert attachments(bench, local) == []
        with pytest.raises(Gone):
            list(bench.tracker.fetch(ref))
        with pytest.raises(Gone):
            bench.tracker.apply(ref, MarkDeleted("globex"), MARK)

    def test_an_issue_takes_its_attachments_with_it(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        ref = attach(bench, local).item.ref
        bench.person.delete(local)
        with pytest.raises(Gone):
            list(bench.tracker.fetch(ref))
        with pytest.raises(Gone):
            attach(bench, local, n=2)

    def test_attaching_and_removing_are_told_by_the_feed(self, bench: Bench) -> None:
        local = bench.create().item.ref.local
        since = list(bench.changed(None))[-1].cursor
        ref = attach(bench, local).item.ref
        assert local in [touched.issue for touched in bench.changed(since)]
        since = list(bench.changed(None))[-1].cursor
        bench.tracker.apply(ref, Remove(), MARK)
        assert local in [touched.issue for touched in bench.changed(since)]
