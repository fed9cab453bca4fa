"""The pairing file, and the six words that show that nobody changed it on the way."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from filesync.errors import ConfigError
from filesync.keys import age, pairing
from filesync.keys.pairing import PairedGeneration, Pairing, decode, encode, six_words
from filesync.keys.sshsig import make_key
from filesync.model.ids import SiteId, StreamId

ACME = SiteId("11111111-1111-4111-8111-111111111111")
GLOBEX = SiteId("22222222-2222-4222-8222-222222222222")


def made(folder: Path, *, site: SiteId = ACME, name: str = "acme") -> Pairing:
    return Pairing(
        site=site,
        name=name,
        stream=StreamId(site[:8] * 4),
        generation=PairedGeneration(1, "c0" * 16),
        key=make_key(folder / name, comment=name).text(),
        recipient=age.make_identity(folder / f"{name}.age"),
    )


@pytest.fixture
def acme(tmp_path: Path) -> Pairing:
    return made(tmp_path)


@pytest.fixture
def globex(tmp_path: Path) -> Pairing:
    return made(tmp_path, site=GLOBEX, name="globex")


def changed(one: Pairing, **fields: object) -> bytes:
    document = json.loads(encode(one)) | fields
    return json.dumps(document).encode()


def test_what_is_written_is_read_back(acme: Pairing) -> None:
    meant = msgspec.structs.replace(acme, to=GLOBEX, recipient=None, features=("zstd-dictionary",))
    for one in (acme, meant):
        assert decode(encode(one)) == one


def test_it_is_readable_and_holds_no_secret(acme: Pairing, tmp_path: Path) -> None:
    text = encode(acme).decode()
    assert f'\n  "key": "{acme.key}",\n' in text
    secret = (tmp_path / "acme.age").read_text().splitlines()[1]
    assert secret not in text
    assert "PRIVATE" not in text


def test_both_sites_see_the_same_six_words(acme: Pairing, globex: Pairing) -> None:
    words = six_words(acme, globex)
    assert words == six_words(globex, acme)
    assert len(words.split()) == 6


def test_the_words_stay_the_same_for_ever() -> None:
    """Two versions of filesync must show the same words: this test fails when their making changes."""
    one = Pairing(site=ACME, name="acme", stream=StreamId("5a" * 16), generation=PairedGeneration(1, "c0" * 16), key="k1")
    other = msgspec.structs.replace(one, site=GLOBEX, name="globex", key="k2", recipient="age1x")
    assert six_words(one, other) == "cancel equip pizza staff base street"


def test_whatever_is_changed_on_the_way_shows_in_the_words(acme: Pairing, globex: Pairing, tmp_path: Path) -> None:
    words = six_words(acme, globex)
    forged = {
        "site": SiteId("33333333-3333-4333-8333-333333333333"),
        "name": "acne",
        "stream": StreamId("00" * 16),
        "key": make_key(tmp_path / "forged", comment="").text(),
        "recipient": age.make_identity(tmp_path / "forged.age"),
    }
    for field, value in forged.items():
        assert six_words(msgspec.structs.replace(acme, **{field: value}), globex) != words, field
    assert six_words(msgspec.structs.replace(acme, recipient=None), globex) != words


def test_what_only_one_side_may_know_is_not_in_the_words(acme: Pairing, globex: Pairing) -> None:
    later = msgspec.structs.replace(acme, to=GLOBEX, generation=PairedGeneration(2, "d0" * 16), features=("x",))
    assert six_words(later, globex) == six_words(acme, globex)


def test_each_word_is_one_of_2048_and_known_by_four_letters() -> None:
    words = pairing._word_list()
    assert len(set(words)) == 2_048
    assert len({word[:4] for word in words}) == 2_048


def test_every_problem_is_told_at_once_with_its_place(acme: Pairing) -> None:
    raw = changed(acme, site="ACME", name="Acme Inc.", generation={"n": 0, "id": "x"}, features=["ok", "NOT OK"])
    with pytest.raises(ConfigError) as caught:
        decode(raw)
    assert {problem.where for problem in caught.value.problems} == {
        "site",
        "name",
        "generation.n",
        "generation.id",
        "features[1]",
    }
    assert "pair export" in caught.value.hint


def test_keys_that_only_look_like_keys_are_refused_together(acme: Pairing) -> None:
    mistyped = (acme.recipient or "")[:-1] + ("q" if (acme.recipient or "")[-1] != "q" else "p")
    with pytest.raises(ConfigError) as caught:
        decode(changed(acme, key="ssh-ed25519 AAAA", recipient=mistyped, to=acme.site))
    assert [problem.where for problem in caught.value.problems] == ["key", "recipient", "to"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not a pairing file: it is empty"),
        (b'{\n  "format": "filesync-pa', "line 2, column 13: not a pairing file: it is cut off or damaged"),
        (b"Dear all,", "line 1, column 1: not a pairing file: it does not begin like one"),
        (b"\xff\xfe{}", "not a pairing file"),
        (b"[" * 60_000, "nested too deeply"),
        (b"x" * 70_000, "more than 65536 bytes"),
        (b'{"format": "filesync-pairing-1", "site": "a", "site": "b"}', "site is told twice"),
        (b'{"generation": {"n": NaN}}', "NaN is not a number"),
        (b'{"n": ' + b"9" * 5_000 + b"}", "not a pairing file"),
        (b"[]", "is not of type"),
        (b'{"format": "filesync-pairing-2"}', "filesync-pairing-2 is not filesync-pairing-1"),
        (b'{"format": "\\u001b[31m"}', r"\\x1b\[31m is not filesync-pairing-1"),
    ],
)
def test_what_is_no_pairing_file_is_refused_in_words(raw: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        decode(raw)


def test_a_newer_file_with_more_in_it_is_read(acme: Pairing) -> None:
    assert decode(changed(acme, motto="x")) == acme
