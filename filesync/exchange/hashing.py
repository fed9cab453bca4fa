"""SHA-256 beside other work: hashing lets go of the interpreter, so that bytes are read and written meanwhile."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

_ALONE: Final = 4 << 20  # bytes that are hashed before a thread is worth its while
_AHEAD: Final = 4  # blocks that may wait: their bytes are in memory


class Sha256:
    """The hash of a stream of blocks. Of a long one the blocks are hashed in a thread, in their order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, block: bytes) -> None:
        """Take the next bytes."""
        self._size += len(block)
        if self._size <= _ALONE:
            self._digest.update(block)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        if len(self._waiting) == _AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._digest.update, block))

    def hexdigest(self) -> str:
        """Of all bytes taken so far, 64 digits."""
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.hexdigest()
