"""The pairing file: what a site tells its partner before the first bundle, and the six words that two people compare.

Its format is schemas/pairing.json. It holds nothing secret, but whoever changes it on the way could read and sign in
our place: so both sites show the same six words, and two people compare them over the phone or face to face.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import NoReturn

import msgspec
from mnemonic import Mnemonic

from filesync.bundle import schema
from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, KeyProblem, Problem
from filesync.keys import age
from filesync.keys.sshsig import PublicKey
from filesync.model.ids import SiteId, StreamId
from filesync.model.prepare import prepare

FORMAT = "filesync-pairing-1"
MAX_PAIRING = 65_536  # bytes
WORDS = 6
_WORD_BITS = 11  # one of 2,048 words
# Someone on the way to both sites may choose a key for each and look for two sets of words that meet by chance, so six
# words are worth 33 bits of trying, not 66. A slow hash makes each try cost a quarter of a second and 64 MiB.
_SCRYPT = {"n": 2**16, "r": 8, "p": 1, "maxmem": 2**27, "dklen": 32}
_DOMAIN = b"filesync-six-words-1"


class PairedGeneration(msgspec.Struct, frozen=True):
    """The generation a stream stands in: the counter and the random id (32 hex digits)."""

    n: int
    id: str


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """Who a site is, its stream towards the partner, and its public keys."""

    format: str = FORMAT
    site: SiteId
    name: str
    stream: StreamId
    generation: PairedGeneration
    key: str  # "ssh-ed25519 AAAA…"
    recipient: str | None = None  # "age1…"; None: it takes unencrypted bundles
    to: SiteId | None = None  # whom the file is for, when that is known
    features: tuple[str, ...] = ()


prepare(Pairing)


def encode(pairing: Pairing) -> bytes:
    """The file, readable for people."""
    return msgspec.json.format(msgspec.json.encode(pairing), indent=2) + b"\n"


def decode(raw: bytes) -> Pairing:
    """Read and check a pairing file. Raises ConfigError with every problem."""
    document = _document(raw)
    problems = list(schema.problems("pairing", document))
    if problems:
        raise _refused(problems)
    pairing = msgspec.convert(document, Pairing)
    for where, check, text in (("key", PublicKey.parse, pairing.key), ("recipient", age.parse_recipient, pairing.recipient)):
        try:
            if text is not None:
                check(text)
        except KeyProblem as error:
            problems.append(Problem(where, str(error)))
    if pairing.to == pairing.site:
        problems.append(Problem("to", "a site cannot be paired with itself"))
    if problems:
        raise _refused(problems)
    return pairing


def six_words(one: Pairing, other: Pairing) -> str:
    """Six words that both sites show alike, whichever file is whose; another key, recipient, stream or name: other words.

    Who the files are meant for (`to`), features and generations are not covered: they may be known to one side only.
    """
    covered = sorted(
        msgspec.json.encode([side.site, side.name, side.stream, side.key, side.recipient]) for side in (one, other)
    )
    digest = hashlib.scrypt(b"\n".join(covered), salt=_DOMAIN, **_SCRYPT)
    number = int.from_bytes(digest)
    words = _word_list()
    return " ".join(words[number >> (at * _WORD_BITS) & (2**_WORD_BITS - 1)] for at in range(WORDS))


@functools.cache
def _word_list() -> Sequence[str]:
    """The 2,048 English words of BIP 39: short, told apart by their first four letters."""
    return tuple(Mnemonic("english").wordlist)


def _document(raw: bytes) -> object:
    """The JSON of a file that says it is a pairing file. Raises ConfigError."""
    _not_another(raw)
    if len(raw) > MAX_PAIRING:
        raise _refused([Problem("", f"not a pairing file: it has more than {MAX_PAIRING} bytes")])
    try:
        text = raw.decode(json.detect_encoding(raw))  # editors and shells of Windows write UTF-16, or a mark before UTF-8
    except UnicodeDecodeError:
        raise _refused([Problem("", "not a pairing file: it is not text")]) from None
    try:
        document: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError:
        raise _refused([Problem("", "not a pairing file: nested too deeply")]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refused([Problem(where, f"not a pairing file: {_no_json(text)}")]) from None
    except ValueError as error:
        raise _refused([Problem("", f"not a pairing file: {shown(str(error), limit=120)}")]) from None
    if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
        other = shown(str(document["format"]))
        raise ConfigError(
            [Problem("format", f"{other} is not {FORMAT}")],
            hint="Is it a pairing file? A newer filesync may have made it: then upgrade this one.",
        )
    return document


def _no_json(text: str) -> str:
    if not text:
        return "it is empty"
    return "it is cut off or damaged" if text.lstrip().startswith("{") else "it does not begin like one"


def _not_another(raw: bytes) -> None:
    """Name the files that lie beside a pairing file and are taken for it. Raises ConfigError."""
    if b"PRIVATE KEY-----" in raw or b"AGE-SECRET-KEY-" in raw:
        raise ConfigError(
            [Problem("", "not a pairing file: it is a private key")],
            hint="Give it to nobody. If it was sent to you, tell the sender: whoever saw it can sign or read in its place.",
        )
    if raw.startswith((b"fs1_", b"age-encryption.org/")):
        raise _refused([Problem("", "not a pairing file: it is a bundle, or encrypted")])
    if raw.startswith(b"ssh-"):
        raise _refused([Problem("", "not a pairing file: it is a public key alone")])


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{shown(twice)} is told twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _refused(problems: Sequence[Problem]) -> ConfigError:
    return ConfigError(problems, hint="Ask the partner to run `filesync pair export` again and carry the file as it is.")
