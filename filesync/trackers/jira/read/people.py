"""Jira's users, by name in Data Center and by account id in Cloud: each is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from filesync.errors import Gone, Rejected
from filesync.trackers.jira.rest.dialect import API, Reads
from filesync.trackers.jira.translate.catalogue import Catalogue, address_of

_FOUND: Final = 50  # users in the answer to one address


class JiraPeople:
    """See filesync.model.people.People. Whom Jira does not show to our account, is not there."""

    def __init__(self, http: Reads, catalogue: Callable[[], Catalogue]) -> None:
        self._http, self._catalogue = http, catalogue
        self._addresses: dict[str, str | None] = {}  # by user; None: there is no such user
        self._users: dict[str, tuple[str, ...]] = {}  # by address

    def knows(self, user: str) -> bool:
        """See People."""
        return self._looked_up(user) is not None

    def address(self, user: str) -> str:
        """See People."""
        return self._looked_up(user) or ""

    def at(self, address: str) -> tuple[str, ...]:
        """See People. Several may have one address; those of the project come first."""
        if address not in self._users:
            ours = [user for user, one in self._catalogue().addresses.items() if one == address]
            self._users[address] = tuple(ours) or self._searched(address)
        return self._users[address]

    def _looked_up(self, user: str) -> str | None:
        known = self._catalogue().addresses.get(user)  # what the project's list says
        if known is not None:
            return known
        if user not in self._addresses:
            self._addresses[user] = self._asked(user)
        return self._addresses[user]

    def _asked(self, user: str) -> str | None:
        name = "accountId" if self._catalogue().cloud else "username"
        try:
            found = self._http.get(f"{API}/user", params={name: user}, gone="there is no such user")
        except (Gone, Rejected):  # the second: it cannot be anybody's name, or our account may not look
            return None
        return address_of(found) if self._is(found, user) else None

    def _searched(self, address: str) -> tuple[str, ...]:
        name = "query" if self._catalogue().cloud else "username"
        try:
            found = self._http.get(f"{API}/user/search", params={name: address, "maxResults": str(_FOUND)})
        except Rejected:
            return ()
        listed = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        return tuple(user for one in listed if address_of(one) == address and (user := self._name(one)))

    def _is(self, found: Any, user: str) -> bool:
        """Jira finds a name in other letters, too; a field holds it in its own."""
        return isinstance(found, Mapping) and self._name(found) == user

    def _name(self, one: Mapping[str, Any]) -> str:
        return str(one.get("accountId" if self._catalogue().cloud else "name") or "")
