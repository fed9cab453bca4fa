"""The one way to write a JSON document: sorted keys, no blanks, no fraction, nothing escaped that need not be.

Because there is one way, a reader need not look for duplicate keys, NaN, odd escapes or byte order marks: it
decodes, encodes again, and compares the bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import msgspec

from filesync.bundle.verdict import Code, bad, shown

MAX_INT: Final = 2**53 - 1  # what every JSON reader keeps exactly


def _no_fraction(text: str) -> NoReturn:
    msg = f"{shown(text, limit=40)} is not a whole number (fractions travel as text)"
    raise ValueError(msg)


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(float_hook=_no_fraction)
_pair = re.compile(r"\\u[dD][89a-fA-F]")


def encode(document: object) -> bytes:
    """One line of canonical JSON, with its LF."""
    return _encoder.encode(document) + b"\n"


def encode_lines(documents: Sequence[object]) -> bytes:
    """Several lines, as `encode` makes each."""
    return _encoder.encode_lines(documents)


def decode(line: bytes, *, where: str, depth: int) -> Any:
    """Read a canonical line (with its LF). Raises BadBundle BAD_JSON, saying what is not canonical.

    `depth` bounds how far arrays and objects may nest. Integers are bounded by `integers_fit`, which the schemas
    make unnecessary for lines that fit them.
    """
    try:
        document = _decoder.decode(line)
        again = _encoder.encode(document)
    except RecursionError:
        raise bad(Code.BAD_JSON, where, f"nested deeper than {depth}") from None
    except (msgspec.MsgspecError, UnicodeError, ValueError, OverflowError) as error:
        raise bad(Code.BAD_JSON, where, _why(line, error)) from None
    if len(line) != len(again) + 1 or not line.startswith(again) or line[-1] != 10:  # noqa: PLR2004 - 10 is LF
        raise bad(Code.BAD_JSON, where, _difference(line, again))
    # As many brackets as that, inside texts too, are rare: only then is it worth walking.
    if line.count(b"{") + line.count(b"[") > depth and too_deep(document, depth):
        raise bad(Code.BAD_JSON, where, f"nested deeper than {depth}")
    return document


def too_deep(document: object, depth: int) -> bool:
    """Whether arrays and objects nest more than `depth` deep."""
    level = _containers([document])
    for _ in range(depth):
        level = [inner for one in level for inner in _containers(one.values() if isinstance(one, dict) else one)]
        if not level:
            return False
    return bool(level)


def _containers(values: Iterable[object]) -> list[dict[str, object] | list[object]]:
    return [value for value in values if isinstance(value, dict | list)]


def integers_fit(document: object) -> bool:
    """Whether every integer is one that all JSON readers keep exactly."""
    todo = [document]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, int) and not -MAX_INT <= one <= MAX_INT:
            return False
    return True


def _why(line: bytes, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if _pair.search(line.decode("latin-1")):
        return "an escaped surrogate (write the character itself)"
    return shown(str(error).partition(" - at `")[0], limit=120)


def _difference(line: bytes, again: bytes) -> str:
    if not line.endswith(b"\n"):
        return "the last line has no line end"
    if line.endswith(b"\r\n"):
        return "line ends in CRLF, not LF"
    at = next((i for i, (x, y) in enumerate(zip(line, again, strict=False)) if x != y), min(len(line), len(again)))
    return f"not canonical from byte {at + 1} on (a duplicate or unsorted key, a blank, an escape): {shown(line[at : at + 40])}"
