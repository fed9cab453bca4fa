"""A link as a field of the issue at its outward end: `link:TYPE:END`, there (True) or not.

In a tracker's words END is the other issue's local id, in the contract's words its gid. The inward end shows nothing:
so a link stands once, two people who make the same one do not meet, and one that was taken away can be made again.
"""

from __future__ import annotations

from typing import Final

from filesync.model.ids import Gid, Kind, is_gid
from filesync.model.values import flat_name

LINK: Final = "link"  # no other field is called so
_PREFIX: Final = flat_name(LINK, "")


def link_name(link_type: str, end: str) -> str:
    """The flat name of a link of this type to this issue."""
    return flat_name(LINK, f"{link_type}:{end}")


def link_parts(flat: str) -> tuple[str, str] | None:
    """Type and other end of a link, from its flat name; None when it names no link. A type may hold colons, an id none."""
    if not flat.startswith(_PREFIX):
        return None
    link_type, colon, end = flat.removeprefix(_PREFIX).rpartition(":")
    return (link_type, end) if colon and link_type and end else None


def link_end(wire: str) -> Gid | None:
    """The issue at the other end of a link, from its wire name; None when it names no link to an issue."""
    parts = link_parts(wire) if wire.startswith(_PREFIX) else None
    if parts is None or not is_gid(parts[1]) or parts[1].split("/")[1] != Kind.ISSUE:
        return None
    return Gid(parts[1])
