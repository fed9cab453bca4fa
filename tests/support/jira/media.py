"""The other host, where Cloud keeps files: it takes signed addresses, and must never see our credentials."""

from __future__ import annotations

from typing import BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from tests.support.jira.multipart import Body
from tests.support.jira.router import Answer
from tests.support.jira.server import Connection, Server
from tests.support.jira.store import Store


class MediaServer(Server):
    """Answers a signed address with the bytes of a file."""

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0))
        self.store = store

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"  # another name, too: cookies go by name and not by port

    def talk(self, connection: Connection) -> None:
        Body(cast(BinaryIO, connection.rfile), connection.headers).all()
        fault = self.store.faults.due(connection.command, f"media{connection.path}")
        connection.send(self._answer(connection), fault)

    def _answer(self, connection: Connection) -> Answer:
        if connection.headers.get("Authorization") or connection.headers.get("Cookie"):
            self.store.faults.strike("credentials leaked")
            return Answer(400, text="Only one auth mechanism allowed", content_type="text/plain")
        token = parse_qs(urlsplit(connection.path).query).get("token", [""])[0]
        with self.store.lock:
            attachment = self.store.file_tokens.pop(token, None)
        if attachment is None:
            return Answer(403, text="The signature has expired", content_type="text/plain")
        return Answer(200, file=attachment.content, content_type=attachment.mime)
