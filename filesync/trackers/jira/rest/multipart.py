"""An upload's body (RFC 7578): one part called `file`, streamed, its length known before its first byte."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping

from filesync.errors import Unavailable


class Multipart:
    """The form around one file of `size` bytes.

    The name stands there as raw UTF-8: Jira answers `filename*=` (RFC 2231) with an internal error. What would end the name or
    its line is taken out; a quote is written as browsers write it.
    """

    def __init__(self, name: str, size: int) -> None:
        self._size = size
        boundary = secrets.token_hex(16)
        safe = "".join(letter for letter in name if letter.isprintable()).replace('"', "%22").encode("utf-8", "replace")
        self._head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="'.encode()
            + safe
            + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.headers: Mapping[str, str] = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(self._head) + size + len(self._tail)),
        }

    def body(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The whole body. Raises Unavailable where the content has not `size` bytes: then nothing was uploaded."""
        yield self._head
        left = self._size
        for piece in content:
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            more = "more" if left < 0 else "fewer"
            raise Unavailable(f"an attachment has {more} than the {self._size} bytes that it should have: it was not uploaded")
        yield self._tail
