"""One bundle whose every byte is known: it can be made again, and no other bytes are taken for it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from filesync.bundle.changes import read_changes
from filesync.bundle.limits import Limits
from filesync.bundle.read import Bundle
from filesync.bundle.verdict import BadBundle, Incomplete
from filesync.bundle.write import NAMESPACE
from filesync.keys.sshsig import BadSignature, PublicKey, verify
from tests.support.bundles import CHANGES, GOLDEN, bag, packed, read, sign
from tests.support.golden import made
from tests.support.programs import need

RAW = (GOLDEN / "first.tar").read_bytes()
KEY = PublicKey.parse((GOLDEN / "key.pub").read_text())


def whole(raw: bytes) -> Bundle:
    bundle = read(raw)
    assert isinstance(bundle, Bundle)
    return bundle


def answered(raw: bytes, *, piece: int = 0) -> Bundle | Incomplete | BadBundle:
    """The reader's answer, whichever of the three; a refusal has its words for a person."""
    try:
        return read(raw, piece=piece)
    except BadBundle as error:
        told = error
    assert told.problems
    assert told.hint
    assert str(told).isprintable()
    return told


def test_the_golden_bundle_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    assert made(tmp_path) == RAW, "if the format changed on purpose: python -m tests.support.golden"


def test_the_golden_bundle_says_what_was_put_in() -> None:
    bundle = whole(RAW)
    head = bundle.head
    assert head.header == bag().header
    assert head.bundle_id == bag().bundle_id
    assert head.size == len(RAW)
    assert verify(head.tagmanifest, head.signature, namespace=NAMESPACE) == KEY
    (stored,) = bundle.members.values()
    data = RAW[stored.offset : stored.offset + stored.size]
    entry = head.header.files[0]
    assert tuple(read_changes([data], declared=entry.content_size, limits=Limits())) == CHANGES


def test_our_signature_and_ssh_keygens_are_the_same_bytes_of_a_bundle_with_the_same_id(tmp_path: Path) -> None:
    signature = sign(bag().tagmanifest, ssh_keygen=need("ssh-keygen"), folder=tmp_path)
    assert whole(packed(bag(), signature)) == whole(RAW)


def test_f22_every_truncation_is_incomplete_and_says_how_much_is_missing() -> None:
    head_at = whole(RAW).members["data/changes.ndjson.zst"].offset - 512
    for cut in range(len(RAW)):
        answer = read(RAW[:cut])
        assert answer == Incomplete(
            cut, len(RAW) if cut >= head_at else None, answer.what if isinstance(answer, Incomplete) else ""
        )


def test_f23_every_flipped_bit_is_noticed() -> None:
    taken = []
    for at in range(len(RAW)):
        for bit in range(8):
            flipped = bytearray(RAW)
            flipped[at] ^= 1 << bit
            answer = answered(bytes(flipped))
            assert not isinstance(answer, Incomplete), "a flip takes no bytes away"
            if isinstance(answer, Bundle):
                taken.append((at, bit, answer))
    # What the reader takes differs in the text of the signature alone, and there the signature is no longer one.
    assert taken
    for at, bit, answer in taken:
        assert answer.head.bundle_id == bag().bundle_id
        with pytest.raises(BadSignature):
            verify(answer.head.tagmanifest, answer.head.signature, namespace=NAMESPACE)
        assert 512 <= at < 1024, f"byte {at} bit {bit} is outside the signature"


def test_the_pieces_a_bundle_arrives_in_make_no_difference() -> None:
    for piece in (1, 7, 511, 512, 513, 4096):
        assert read(RAW, piece=piece) == whole(RAW)


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """A few random edits: bytes changed, cut, doubled, zeroed, moved."""
    changed = bytearray(raw)
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(changed) + 1), dice.choice((1, 2, 8, 100, 512, 1024))
        match dice.randrange(6):
            case 0:
                changed[at : at + length] = dice.randbytes(length)
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = changed[at : at + length]
            case 3:
                changed[at : at + length] = bytes(length)
            case 4:
                changed[at : at + 1] = dice.choice((b"0", b"7", b"/", b"\n", b"{", b'"', b"\xff", b"\r\n"))
            case _:
                other = dice.randrange(len(changed) + 1) // 512 * 512
                changed[other:other] = changed[at // 512 * 512 : at // 512 * 512 + 512]
        if not changed:
            return b""
    return bytes(changed)


def three_answers(seed: int) -> None:
    dice = random.Random(seed)
    raw = mutated(RAW, dice)
    answer = answered(raw, piece=dice.choice((0, 1, 300, 512, 1000)))
    if isinstance(answer, Bundle):
        assert answer.head.bundle_id == bag().bundle_id
        assert answer.members == whole(RAW).members
    elif isinstance(answer, Incomplete):
        assert answer.have == len(raw)


def test_random_damage_gets_one_of_the_three_answers() -> None:
    for seed in range(500):
        three_answers(seed)


@pytest.mark.prove
def test_much_random_damage_gets_one_of_the_three_answers() -> None:
    start = int(os.environ.get("FILESYNC_FUZZ_SEED", "1000000"))
    for seed in range(start, start + int(os.environ.get("FILESYNC_FUZZ_ROUNDS", "200000"))):
        three_answers(seed)
