"""OAuth 2.0 (RFC 6749): access tokens for our client, kept in memory and renewed before they end.

Two grants: the client's own credentials, and a refresh token. Where the server gives a new refresh token with each access
token, as Jira Cloud does, the old one is void: the new one is written in its file's place before the access token is used.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode, urlsplit

from filesync.bundle.verdict import shown
from filesync.errors import Unavailable, disk_problem
from filesync.trackers.jira.rest.access import hidden, read_secret
from filesync.trackers.jira.rest.answers import Garbled, data, said
from filesync.trackers.jira.rest.pace import Waiting
from filesync.trackers.jira.rest.refusals import AGAIN
from filesync.trackers.jira.rest.wire import Broken, Request, Wire
from filesync.trackers.jira.settings import OAuth

_EARLY: Final = 60.0  # seconds before its end in which a token is not used any more
_SHORTEST: Final = 3600.0  # seconds that a token without `expires_in` is used


class OAuthAccess:
    """See access.Access."""

    def __init__(self, oauth: OAuth, *, wire: Wire, waiting: Waiting) -> None:
        self._oauth = oauth
        self._wire = wire
        self._waiting = waiting
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0
        self._unkept = ""  # a refresh token that is not in its file yet
        self._secrets: tuple[str, ...] = ()

    def header(self) -> str:
        """See Access."""
        with self._lock:
            if not self._token or self._waiting.now() >= self._until:
                self._renew()
            return f"Bearer {self._token}"

    def renewed(self, refused: str) -> str | None:
        """See Access: another token is asked for, unless another thread did so meanwhile."""
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._renew()
            return f"Bearer {self._token}"

    def hide(self, text: str) -> str:
        """See Access."""
        return hidden(text, self._token, self._unkept, *self._secrets)

    def _renew(self) -> None:
        """Raises KeyProblem, Unavailable."""
        oauth = self._oauth
        if self._unkept:
            self._keep()
        form = {"client_id": oauth.client_id, "client_secret": read_secret(oauth.client_secret_file)}
        if oauth.refresh_token_file is None:
            form |= {"grant_type": "client_credentials"}
        else:
            form |= {"grant_type": "refresh_token", "refresh_token": read_secret(oauth.refresh_token_file)}
        self._secrets = (form["client_secret"], form.get("refresh_token", ""))
        asked = self._waiting.now()
        answer = self._ask(form)
        token, lasts, next_refresh = answer.get("access_token"), answer.get("expires_in"), answer.get("refresh_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise Unavailable(f"{self._server()} gave no access token", hint="Look at tracker.settings.oauth.")
        if isinstance(next_refresh, str) and next_refresh and next_refresh != form.get("refresh_token"):
            self._unkept = next_refresh
            self._keep()
        self._token = token
        seconds = float(lasts) if isinstance(lasts, int | float | str) and str(lasts).isdigit() else _SHORTEST
        self._until = asked + max(seconds - _EARLY, seconds / 2)

    def _ask(self, form: dict[str, str]) -> dict[str, object]:
        request = Request(
            method="POST",
            url=self._oauth.token_url,
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )
        try:
            answer = self._wire.exchange(request, abroad=True)
            found = data(answer) if answer.good else None
        except Broken as error:
            raise Unavailable(f"{self._server()} does not answer: {self.hide(str(error))}", hint=error.hint or AGAIN) from error
        except Garbled as error:
            raise Unavailable(
                f"{self._server()} answers with no JSON", hint="Is tracker.settings.oauth.token_url right?"
            ) from error
        if isinstance(found, dict):
            return found
        words = said(replace(answer, body=self.hide(answer.text).encode()))  # before it is cut: half a secret is not found
        passing = answer.status >= 500 or answer.status == 429  # noqa: PLR2004 - HTTP's classes of statuses
        hint = (
            AGAIN
            if passing
            else "Have the application authorised anew, and write what it is given into the files that are named."
        )
        raise Unavailable(f"{self._server()} gives us no token ({answer.status}): {words}", hint=hint)

    def _keep(self) -> None:
        """Write the new refresh token, whole or not at all: the old one is void. Raises Unavailable, until it is written."""
        file = self._oauth.refresh_token_file
        if file is None:
            return
        draft = file.with_name(f".{file.name}.new")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as written:
                written.write(f"{self._unkept}\n")
                written.flush()
                os.fsync(written.fileno())
            draft.replace(file)
        except OSError as error:
            problem = disk_problem(error, file)
            hint = f"{problem.hint} Until then do not stop filesync: it alone knows the new token, and the old one is void."
            raise Unavailable(f"the new refresh token cannot be kept: {problem}", hint=hint) from error
        self._unkept = ""

    def _server(self) -> str:
        return f"the token server {shown(urlsplit(self._oauth.token_url).netloc)}"
