"""Bundles as a site could sign them itself: honest in form, and with one thing about them that a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from filesync.agent.asked.inspect import inspected
from filesync.bundle.changes import compress, encode_change
from filesync.bundle.header import BundleKind, Header, Party, Place, file_name
from filesync.bundle.read import Head
from filesync.bundle.write import NAMESPACE, changes_file, pack, tar
from filesync.keys.sshsig import Signer
from filesync.model.change import Change, Create
from filesync.model.ids import NEVER, NO_BUNDLE, Kind, make_gid
from tests.support.two_sites import EXCHANGE, Side


def header(side: Side, **different: Any) -> Header:
    """The header of the side's next bundle, but for what is different."""
    x = side.exchange()
    honest = Header(
        agent="filesync 0.1.0",
        kind=BundleKind.CHANGES,
        stream=x.out_stream,
        from_=Party(side.config.site, side.name),
        to=Party(x.partner_site, x.partner_name),
        generation=Place(x.out_generation.n, x.out_generation.id),
        seq=x.out_seq + 1,
        prev=x.out_id,
        seen=NEVER,
        counts={"create": 1},
        contract=side.site.paired(EXCHANGE).rules.contract.digest,
        created_at="2026-11-23T09:00:00.000Z",
        nonce="9f" * 16,
    )
    return msgspec.structs.replace(honest, **different)


def a_bug(side: Side, summary: str = "forged") -> Change:
    gid = make_gid(side.config.site, Kind.ISSUE, "900", "1763892000000")
    return Create(n=1, gid=gid, kind=Kind.ISSUE, fields={"summary": summary, "type": "Bug"})


class Newer(Header, frozen=True, kw_only=True):
    """A header of a version to come."""

    mood: str = "good"
    weather: str = "dry"


def newer(one: Header) -> Header:
    """What a newer filesync would write in place of this one."""
    return Newer(**{name: getattr(one, name) for name in Header.__struct_fields__})


def forge(
    side: Side,
    folder: Path,
    *,
    changes: Sequence[Change] | None = None,
    signer: Signer | None = None,
    dress: Callable[[Header], Header] = lambda one: one,
    **different: Any,
) -> Path:
    """A file in `folder`, signed by the side's own key, or by another. `dress` changes the header as a whole."""
    lines = [encode_change(one) for one in (changes if changes is not None else [a_bug(side)])]
    bag = pack(dress(header(side, **different)), [changes_file(compress(lines))])
    signature = (signer or side.site.signer()).sign(bag.tagmanifest, namespace=NAMESPACE)
    path = folder / file_name(bag.header, bag.bundle_id, encrypted=False)
    path.write_bytes(b"".join(tar(bag, signature)))
    return path


def first(side: Side) -> dict[str, Any]:
    """The place of a first bundle, whatever the side made since."""
    return {"seq": 1, "prev": NO_BUNDLE}


def head_of(path: Path, side: Side) -> Head:
    """What a bundle says, read by this side."""
    with inspected(path, side.config) as found:
        assert found.head is not None, found.problems
        return found.head
