"""What to say about a tar header that is not the expected one."""

from __future__ import annotations

from typing import Final, TypeAlias

from filesync.bundle import layout, ustar
from filesync.bundle.header import newer
from filesync.bundle.limits import FORMAT
from filesync.bundle.verdict import BadBundle, Code, bad, shown

_START: Final = b"fs1_g"
_Found: TypeAlias = tuple[Code, str, str]  # code, where, what


def first_name(raw: bytes) -> BadBundle | None:
    """Judge the first block, or a file that ends inside it: None while it can be the start of a bundle."""
    start = raw[: len(_START)]
    if _START.startswith(start):
        entry = ustar.Entry(raw)
        folder = entry.name.partition("/")[0]
        if len(raw) < ustar.BLOCK or layout.FOLDER.fullmatch(folder):
            return None
        return bad(Code.BAD_ENTRY_NAME, shown(entry.name), "is not a bundle's folder")
    entry = ustar.Entry(raw)
    if len(raw) == ustar.BLOCK and layout.NEWER_FOLDER.match(entry.name):
        return newer(f"a file of format {shown(entry.name.partition('_')[0])}; we read {FORMAT}")
    if len(raw) == ustar.BLOCK and entry.tar and entry.name:
        return bad(Code.BAD_ENTRY_NAME, shown(entry.name), "is not what a bundle begins with")
    if not raw.strip(b"\0"):
        return bad(Code.NOT_A_BUNDLE, "", "the file begins with zeros: it was never filled, or lost its beginning")
    line = raw.partition(b"\n")[0]
    return bad(Code.NOT_A_BUNDLE, "", f"the file begins with: {shown(line)}")


def refusal(
    block: bytes, *, folder: str, expected: str, size: int | None, declared: frozenset[str], hint: str = ""
) -> BadBundle:
    """The verdict on a block that is not the header of `expected` ("": the end of the archive).

    `declared`: the header's data files, empty while it is not known. `size`: what the header declares, where known.
    """
    entry = ustar.Entry(block)
    path = entry.name.removeprefix(f"{folder}/")
    foreign = path == entry.name or not (layout.DATA.fullmatch(path) or path in layout.HEAD)
    found = _not_a_file(block, entry, expected)
    if found is None and foreign:
        found = Code.BAD_ENTRY_NAME, shown(entry.name), "is not a name that a bundle may hold"
    if found is None and path != expected:
        found = _other_file(path, expected, declared)
    if found is None and size is not None and entry.size != size:
        found = Code.TAR_AMBIGUOUS, path, f"its tar header says {entry.size} bytes, {size} are declared"
    if found is None:
        found = Code.TAR_AMBIGUOUS, path, "its tar header is not in the strict profile (mode, owner, time, padding)"
    code, where, what = found
    return bad(code, where, what, hint=hint)


def _not_a_file(block: bytes, entry: ustar.Entry, expected: str) -> _Found | None:
    if not block.strip(b"\0"):
        if expected:
            return Code.MISSING_FILE, expected, "zeros stand where it should: the archive ends early, or has a hole"
        return Code.TAR_AMBIGUOUS, "end", "the two blocks of zeros at the end are not two"
    if not entry.tar or not entry.sum_right:
        return Code.TAR_AMBIGUOUS, expected or "end", "the tar header is damaged or not there"
    if not entry.regular:
        return Code.TAR_AMBIGUOUS, shown(entry.name), "is not a regular file"
    return None


def _other_file(path: str, expected: str, declared: frozenset[str]) -> _Found:
    if declared and path not in declared and path not in layout.HEAD:
        return Code.UNDECLARED_FILE, path, "is not among the files that the header declares"
    # Files stand in one order: one that comes too early means that those before it are missing.
    if expected and _place(path) > _place(expected):
        return Code.MISSING_FILE, expected, f"{path} stands in its place"
    return Code.TAR_AMBIGUOUS, path, "stands twice or out of order"


def _place(path: str) -> tuple[int, str]:
    if path in layout.HEAD:
        return layout.HEAD.index(path), ""
    return len(layout.HEAD) + path.startswith(layout.BLOBS), path
