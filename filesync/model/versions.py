"""The versions of a project: what each says of itself, and by which gid both sides know it.

A version is known by its name, which a project has once: so one that both sides have, or that each makes for itself, is the
same without anybody pairing the two. It belongs to the project, a holder that is itself never told.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Final

from filesync.model.ids import Gid, Kind, SiteId, make_gid

LISTS: Final = "lists"  # in place of an issue's local id: what the project itself holds

NAME: Final = "name"
DESCRIPTION: Final = "version-description"
START: Final = "version-start"  # a date
RELEASE: Final = "version-release"  # a date
RELEASED: Final = "version-released"
ARCHIVED: Final = "version-archived"
YES: Final = "yes"  # of the last two; that it is not so is an empty field

_STAMP: Final = "0"


@functools.lru_cache(maxsize=16)  # each arriving change is held against it
def project_gid(one: SiteId, other: SiteId) -> Gid:
    """The gid of the holder, in the exchange of these two sites."""
    return make_gid(min(one, other), Kind.PROJECT, _local(one, other, ""), _STAMP)


def version_gid(one: SiteId, other: SiteId, name: str) -> Gid:
    """The gid of the version that travels under this name, in the exchange of these two sites."""
    return make_gid(min(one, other), Kind.VERSION, _local(one, other, name), _STAMP)


def _local(one: SiteId, other: SiteId, name: str) -> str:
    said = "\n".join((*sorted((one, other)), name))
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:40]
