"""The bytes of attachments, as files beside the tracker's database: streamed, and on disk before the row that names them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filesync.errors import Unavailable

_BLOCK: Final = 1 << 20  # bytes read at once
_ARRIVING: Final = ".in-"  # of names of files on their way in
_STALE_S: Final = 86_400.0  # whoever wrote a file on its way in for so long was killed

Content = Callable[[], Iterator[bytes]]


class Files:
    """One folder; a file is named by its attachment's id, which is never used again. Names that people gave stay data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def arriving(self, content: Iterable[bytes]) -> Iterator[tuple[Path, int]]:
        """The whole content in a file without a name, on disk, and its size; it is removed where nobody takes it.

        Raises Unavailable, and what the content raises while it is read.
        """
        with self._ours("write"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._clear()
            descriptor, name = tempfile.mkstemp(prefix=_ARRIVING, dir=self._folder)
        path, size = Path(name), 0
        try:
            try:
                for chunk in content:
                    with self._ours("write"):
                        view = memoryview(chunk)
                        while view:
                            view = view[os.write(descriptor, view) :]
                    size += len(chunk)
                with self._ours("write"):
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            yield path, size
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def take(self, arrived: Path, local: str) -> None:
        """Give a file that has arrived to an attachment, before its row is committed. Raises Unavailable."""
        with self._ours("write"):
            arrived.replace(self._folder / local)
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def read(self, local: str) -> Iterator[bytes]:
        """The bytes of an attachment. Raises Unavailable."""
        with self._ours("read"), (self._folder / local).open("rb", buffering=0) as file:
            while chunk := file.read(_BLOCK):
                yield chunk

    def drop(self, locals_: Iterable[str]) -> None:
        """Their rows are gone. A file that cannot be removed harms nobody: its id is never used again."""
        for local in locals_:
            with suppress(OSError):
                (self._folder / local).unlink(missing_ok=True)

    def _clear(self) -> None:
        """Remove what a killed process left on its way in; another one may be writing now."""
        old = time.time() - _STALE_S
        for path in self._folder.glob(f"{_ARRIVING}*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < old:
                    path.unlink()

    @contextmanager
    def _ours(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"cannot {doing} the attachments' files in {self._folder}: {error.strerror or error}",
                hint="Check that folder, its rights and its disk. Everything else in the tracker goes on.",
            ) from error
