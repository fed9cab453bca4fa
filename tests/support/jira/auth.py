"""Who asks: passwords, tokens, OAuth; and what Jira says to those it does not know."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qs

from tests.support.jira.records import User
from tests.support.jira.router import Answer
from tests.support.jira.store import Store

ANONYMOUS = User(key="", name="", account="", display="Anonymous", email="", roles=set(), groups=set())
OPEN = {"serverInfo"}  # what anybody may ask
CLIENT = ("filesync-client", "secret of the client")


class Gate:
    """Knows the users' credentials, and the OAuth tokens that it gave."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._tokens: dict[str, int] = {}  # access token -> when it ends
        self._refresh: set[str] = {"first refresh token"}

    def enter(self, headers: Mapping[str, str], method: str, path: str) -> User | Answer:
        """The user, or the answer that turns them away."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        user = self._user(scheme.lower(), given.strip()) if scheme else ANONYMOUS
        cloud, faults = self.store.flavour.cloud, self.store.faults
        if scheme.lower() == "basic" and faults.captcha and not cloud:
            faults.strike("captcha")
            reason = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=/login.jsp"}
            return self._page(403, "Basic Authentication Failure - Reason : AUTHENTICATION_DENIED", reason)
        if user is None or not user.active:
            if not (cloud and faults.wrong_credentials_404):
                return self._unknown()
            faults.strike("wrong credentials")
            user = ANONYMOUS
        name = path.rsplit("/", 1)[-1]
        if user is ANONYMOUS and name not in OPEN and (not cloud or name == "myself" or method != "GET"):
            if cloud:
                return self._unknown()
            words = ["You do not have the permission to see the specified issue.", "Login Required"]
            return Answer(401, {"errorMessages": words, "errors": {}}, {"WWW-Authenticate": 'OAuth realm="jira"'})
        return user

    def give_token(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The OAuth 2.0 token endpoint: client credentials, and refresh tokens that are good for once."""
        text = body.decode()
        asked = json.loads(text) if "json" in headers.get("content-type", "") else {k: v[0] for k, v in parse_qs(text).items()}
        scheme, _, given = headers.get("authorization", "").partition(" ")
        client = (asked.get("client_id"), asked.get("client_secret"))
        if scheme.lower() == "basic":
            name, _, secret = base64.b64decode(given).decode().partition(":")
            client = (name, secret)
        if client != CLIENT:
            return Answer(401, {"error": "invalid_client"})
        kind = asked.get("grant_type")
        if kind == "refresh_token":
            if asked.get("refresh_token") not in self._refresh:
                return Answer(403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."})
            self._refresh.discard(asked["refresh_token"])
        elif kind != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        life = self.store.faults.token_life
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self.store.clock.now() + life * 1000
        shown = {"access_token": token, "expires_in": life, "token_type": "Bearer"}
        if kind == "refresh_token":
            shown["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh.add(str(shown["refresh_token"]))
        return Answer(200, shown)

    def forget_tokens(self) -> None:
        """Every OAuth access token ends now."""
        self._tokens.clear()

    def _user(self, scheme: str, given: str) -> User | None:
        users = self.store.users.values()
        if scheme == "bearer":
            if self._tokens.get(given, 0) > self.store.clock.now():
                return self.store.person("filesync")
            return None if self.store.flavour.cloud else next((one for one in users if one.token == given), None)
        if scheme != "basic":
            return None
        try:
            name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if self.store.flavour.cloud:
            return next((one for one in users if (one.email, one.token) == (name, secret)), None)
        return next((one for one in users if (one.name, one.password) == (name.lower(), secret)), None)

    def _unknown(self) -> Answer:
        self.store.faults.strike("401")
        if self.store.flavour.cloud:
            words = "Client must be authenticated to access this resource."
            return Answer(401, text=words, content_type="text/plain;charset=UTF-8", headers={"WWW-Authenticate": "Basic"})
        return self._page(401, "Unauthorized", {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})

    @staticmethod
    def _page(status: int, words: str, headers: dict[str, str]) -> Answer:
        text = f"<html><head><title>{words} ({status})</title></head><body><h1>{words}</h1></body></html>"
        return Answer(status, text=text, content_type="text/html;charset=UTF-8", headers=headers)
