"""Reading a bundle: bytes are pushed in; out comes a bundle, INCOMPLETE, or BadBundle. There is no fourth answer.

Every byte of a bundle is determined by its signed head, so the reader knows, from the head on, which 512 bytes
must stand where, and compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from filesync.bundle import layout, ustar
from filesync.bundle.framing import first_name, refusal
from filesync.bundle.header import FileEntry, Header, decode_header, folder_name
from filesync.bundle.limits import PLACE, SIGNATURE, TAG_TEXT, Limits
from filesync.bundle.verdict import TEXT_MODE, BadBundle, Code, Incomplete, bad
from filesync.errors import Problem
from filesync.model.ids import BundleId


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the data. Its parts agree with each other; who signed it is still to be asked."""

    folder: str
    signature: bytes  # armored SSHSIG over `tagmanifest`
    tagmanifest: bytes
    header: Header
    header_bytes: bytes
    bundle_id: BundleId
    size: int  # bytes of the whole file


@dataclass(frozen=True, slots=True)
class Member:
    """Where the bytes of one file stand."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle: every byte was seen and fits the head."""

    head: Head
    members: Mapping[str, Member]


class Reader:
    """Feed it the file's bytes in order, in any pieces. It keeps the head, and hashes the rest as it passes.

    Usage: feed until `head` is set, ask who signed it and for whom it is, feed the rest, close.
    """

    def __init__(self, limits: Limits) -> None:
        self.head: Head | None = None
        self.have = 0  # bytes fed
        self._limits = limits
        self._offset = 0  # bytes understood
        self._buffer = bytearray()
        self._want = ustar.BLOCK  # bytes the next step needs
        self._step: Callable[[bytes], None] | None = self._first_block
        self._folder = ""
        self._tags: dict[str, bytes] = {}
        self._size = 0  # bytes of the tag file being read
        self._left = 0  # bytes of the data file still to pass
        self._digest = hashlib.sha256()
        self._members: dict[str, Member] = {}
        self._problems: list[Problem] = []  # data files that differ: all are named at the end
        self._failed: BadBundle | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises BadBundle as soon as what came so far cannot become a bundle; a data file with the wrong hash is
        kept for `close`, which names all of them.
        """
        if self._failed:
            raise self._failed
        self.have += len(chunk)
        try:
            self._take(memoryview(chunk))
        except BadBundle as error:
            self._failed = BadBundle(error.code, (*error.problems, *self._problems), hint=error.hint)
            raise self._failed from None

    def close(self) -> Bundle | Incomplete:
        """Say what it was. Raises BadBundle."""
        if self._failed:
            raise self._failed
        if not self._offset and (damage := first_name(bytes(self._buffer))):
            raise damage
        if self._problems:
            raise BadBundle(Code.BAD_HASH, self._problems)
        if self._step is None and self.head:
            return Bundle(self.head, MappingProxyType(self._members))
        return Incomplete(self.have, self.head.size if self.head else None, self._expected())

    def _take(self, view: memoryview) -> None:
        while view:
            if self._left:
                part = view[: self._left]
                self._digest.update(part)
                self._left -= len(part)
                self._offset += len(part)
                if not self._left:
                    self._data_passed()
            elif self._step is None:
                raise bad(Code.TAR_AMBIGUOUS, "end", f"bytes follow the end of the archive, at byte {self._offset}")
            else:
                part = view[: self._want - len(self._buffer)]
                self._buffer += part
                if len(self._buffer) == self._want:
                    self._offset += self._want
                    block, self._buffer = bytes(self._buffer), bytearray()
                    self._step(block)
            view = view[len(part) :]

    def _next(self, want: int, step: Callable[[bytes], None]) -> None:
        self._want, self._step = want, step

    # ── the head ────────────────────────────────────────────────────────────────────────────────────────────────

    def _first_block(self, block: bytes) -> None:
        if damage := first_name(block):
            raise damage
        self._folder = ustar.Entry(block).name.partition("/")[0]
        self._tag_block(block)

    def _tag_block(self, block: bytes) -> None:
        name = layout.HEAD[len(self._tags)]
        entry = ustar.Entry(block)
        limit = {
            layout.SIGNATURE: SIGNATURE,
            layout.HEADER: self._limits.header,
            layout.MANIFEST: self._limits.files * PLACE,
        }.get(name, TAG_TEXT)
        if entry.size is None or block != ustar.block(f"{self._folder}/{name}", entry.size):
            hint = TEXT_MODE if b"\r\n" in self._tags.get(layout.SIGNATURE, b"") else ""
            raise refusal(block, folder=self._folder, expected=name, size=None, declared=frozenset(), hint=hint)
        if entry.size > limit:
            raise bad(Code.TOO_LARGE, name, f"{entry.size} bytes; the limit is {limit}")
        if not entry.size:
            raise bad(Code.BAD_HEADER, name, "is empty")
        self._size = entry.size
        self._next(ustar.padded(entry.size), self._tag_text)

    def _tag_text(self, padded: bytes) -> None:
        name = layout.HEAD[len(self._tags)]
        text = padded[: self._size]
        self._tags[name] = text
        if name == layout.SIGNATURE:
            # Before the padding: where line ends grew, this is the first place that shows it.
            _check_armor(text)
        self._check_padding(padded[self._size :], name)
        if name == layout.TAGMANIFEST and layout.read_tagmanifest(text) is None:
            raise bad(Code.BAD_HEADER, name, f"must name {', '.join(layout.TAGGED)} with their SHA-256, in this order")
        if name in layout.TAGGED:
            self._check_tag(name, text)
        if name == layout.INFO:
            self._head_complete()
        else:
            self._next(ustar.BLOCK, self._tag_block)

    def _check_tag(self, name: str, text: bytes) -> None:
        hashes = layout.read_tagmanifest(self._tags[layout.TAGMANIFEST])
        if hashes is None or hashes[name] != layout.sha256(text):
            raise bad(Code.BAD_HASH, name, f"its SHA-256 is not the one in {layout.TAGMANIFEST}")

    def _head_complete(self) -> None:
        raw = self._tags[layout.HEADER]
        header = decode_header(raw, limits=self._limits)
        self._check_sizes(header)
        wrong = layout.wrong_files(header, raw)
        if folder_name(header) != self._folder:
            wrong.append(Problem(self._folder, f"the header makes this folder {folder_name(header)}"))
        if self._tags[layout.MANIFEST] != layout.manifest_text(header.files):
            wrong.append(Problem(layout.MANIFEST, f"differs from the list of files in {layout.HEADER}"))
        if self._tags[layout.BAGIT] != layout.BAGIT_TEXT:
            wrong.append(Problem(layout.BAGIT, "is not the one of BagIt 1.0 in UTF-8"))
        if wrong:
            raise BadBundle(Code.BAD_HEADER, wrong)
        tagmanifest = self._tags[layout.TAGMANIFEST]
        self.head = Head(
            folder=self._folder,
            signature=self._tags[layout.SIGNATURE],
            tagmanifest=tagmanifest,
            header=header,
            header_bytes=raw,
            bundle_id=BundleId(layout.sha256(tagmanifest)),
            size=self._whole(header),
        )
        self._tags = {}
        self._expect_data()

    def _check_sizes(self, header: Header) -> None:
        """Before anything is believed further: nothing declared goes beyond the limits."""
        limits = self._limits
        found = [
            Problem(entry.path, f"{entry.content_size} bytes are declared; the limit is {limits.content}")
            for entry in header.files
            if entry.content_size > limits.content
        ]
        if len(header.files) > limits.files:
            found.append(Problem(layout.HEADER, f"{len(header.files)} data files are declared; the limit is {limits.files}"))
        if self._whole(header) > limits.bundle:
            found.append(Problem(layout.HEADER, f"{self._whole(header)} bytes in all; the limit is {limits.bundle}"))
        if found:
            raise BadBundle(Code.TOO_LARGE, found)

    def _whole(self, header: Header) -> int:
        return self._offset + ustar.whole(entry.size for entry in header.files)

    # ── the data ────────────────────────────────────────────────────────────────────────────────────────────────

    def _file(self) -> FileEntry | None:
        """The data file that is next or passing; None when all have passed."""
        assert self.head is not None
        files = self.head.header.files
        return files[len(self._members)] if len(self._members) < len(files) else None

    def _expect_data(self) -> None:
        if self._file() is None:
            self._next(len(ustar.END), self._end)
        else:
            self._next(ustar.BLOCK, self._data_block)

    def _data_block(self, block: bytes) -> None:
        file = self._file()
        assert file is not None
        assert self.head is not None
        if block != ustar.block(f"{self._folder}/{file.path}", file.size):
            declared = frozenset(entry.path for entry in self.head.header.files)
            raise refusal(block, folder=self._folder, expected=file.path, size=file.size, declared=declared)
        self._digest = hashlib.sha256()
        self._left = file.size
        if not file.size:
            self._data_passed()

    def _data_passed(self) -> None:
        file = self._file()
        assert file is not None
        if self._digest.hexdigest() != file.sha256:
            self._problems.append(Problem(file.path, "its SHA-256 is not the declared one: damaged on the way"))
        pad = ustar.padding(file.size)
        if pad:
            self._next(pad, self._data_padding)
        else:
            self._data_done()

    def _data_padding(self, zeros: bytes) -> None:
        file = self._file()
        assert file is not None
        self._check_padding(zeros, file.path)
        self._data_done(len(zeros))

    def _data_done(self, pad: int = 0) -> None:
        file = self._file()
        assert file is not None
        self._members[file.path] = Member(file.path, self._offset - pad - file.size, file.size)
        self._expect_data()

    def _end(self, block: bytes) -> None:
        if block != ustar.END:
            assert self.head is not None
            declared = frozenset(entry.path for entry in self.head.header.files)
            raise refusal(block[: ustar.BLOCK], folder=self._folder, expected="", size=None, declared=declared)
        self._step = None

    def _check_padding(self, zeros: bytes, name: str) -> None:
        if zeros.strip(b"\0"):
            raise bad(Code.TAR_AMBIGUOUS, name, "the padding after it is not zero")

    def _expected(self) -> str:
        if self.head is None:
            return layout.HEAD[min(len(self._tags), len(layout.HEAD) - 1)]
        file = self._file()
        return file.path if file else "the end of the archive"


def _check_armor(text: bytes) -> None:
    if not (text.startswith(layout.ARMOR) and text.endswith(layout.ARMOR_END)):
        if b"\r\n" in text:
            raise bad(Code.TAR_AMBIGUOUS, layout.SIGNATURE, "its line ends are CRLF", hint=TEXT_MODE)
        raise bad(Code.BAD_SIGNATURE, layout.SIGNATURE, "is not an armored SSH signature")
