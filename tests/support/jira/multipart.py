"""Bodies of requests: with a length or in chunks, into memory or, as multipart, into files."""

from __future__ import annotations

import re
import tempfile
from email.message import Message
from pathlib import Path
from typing import IO, BinaryIO

from tests.support.jira.records import Refusal
from tests.support.jira.router import Part

STEP = 1 << 16
_NAME = re.compile(r'\bname="((?:[^"\\]|\\.)*)"')
_FILENAME = re.compile(r'\bfilename="((?:[^"\\]|\\.)*)"')


class Body:
    """The bytes of one request's body, as they come."""

    def __init__(self, stream: BinaryIO, headers: Message) -> None:
        self._stream = stream
        self._chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        self._left = int(headers.get("Content-Length", "0") or "0")

    def some(self, limit: int = STEP) -> bytes:
        """Some bytes; b"" at the end."""
        if self._chunked and self._left == 0:
            self._left = int(self._stream.readline().split(b";")[0].strip() or b"0", 16)
            if self._left == 0:
                while self._stream.readline().strip():
                    pass
                self._chunked = False
        if self._left == 0:
            return b""
        got = self._stream.read(min(limit, self._left))
        if not got:
            raise ConnectionError("the request ended before its body did")
        self._left -= len(got)
        if self._chunked and self._left == 0:
            self._stream.readline()
        return got

    def all(self) -> bytes:
        """All of it."""
        return b"".join(iter(self.some, b""))


def read_parts(body: Body, content_type: str, spool: Path) -> list[Part]:
    """The parts of a multipart body, each in a file of its own. Raises Refusal where it is malformed."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if found is None:
        body.all()
        raise Refusal(400, "The multipart boundary is missing.")
    mark = b"\r\n--" + found[1].encode()
    boundary = re.compile(re.escape(mark) + rb"(?:--|(?:\r\n)(?:.*?)\r\n\r\n)", re.DOTALL)
    begun = re.compile(re.escape(mark) + rb"(?:--|\r\n|.?$)", re.DOTALL)
    buffer, parts = b"\r\n", []
    out: IO[bytes] | None = None
    try:
        while True:
            got = body.some()
            buffer += got
            while (at := boundary.search(buffer)) is not None:
                if out is not None:
                    out.write(buffer[: at.start()])
                    out.close()
                    out = None
                head, buffer = at[0].removeprefix(mark), buffer[at.end() :]
                if not head.startswith(b"--"):
                    part, out = _open(head, spool)
                    parts.append(part)
            safe = len(buffer) - len(mark) if begun.search(buffer) is None else 0
            if out is not None and safe > 0:
                out.write(buffer[:safe])
                buffer = buffer[safe:]
            if not got:
                break
    finally:
        unfinished = out is not None
        if out is not None:
            out.close()
    if unfinished:
        raise Refusal(400, "Stream ended unexpectedly")
    return parts


def _open(head: bytes, spool: Path) -> tuple[Part, IO[bytes]]:
    text = head.decode("utf-8", "replace")
    if "filename*=" in text:
        raise Refusal(500, "Internal server error")  # as Data Center does with encoded names
    name, filename = _NAME.search(text), _FILENAME.search(text)
    file = tempfile.NamedTemporaryFile(dir=spool, delete=False)  # noqa: SIM115 (closed when the part ends)
    shown = filename and re.sub(r"\\(.)|%22", lambda one: one[1] or '"', filename[1])
    return Part(name[1] if name else "", shown or None, Path(file.name)), file
