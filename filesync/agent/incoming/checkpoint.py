"""I14: how far we are, in the tracker itself, to be found after a restore of either."""

from __future__ import annotations

import msgspec

from filesync.agent.site import Checkpoint, Site, checkpoint_name
from filesync.ledger import streams


def write_checkpoint(site: Site, exchange_id: int) -> None:
    """Written where it is not the last one: also when the run that applied the bundle was cut off before.

    A checkpoint behind the ledger means a restored tracker. I15: the next export reports. Raises Unavailable.
    """
    written = f"checkpoint {exchange_id}"
    with site.ledger.begin() as conn:
        x = streams.exchange_of(conn, exchange_id)
        last = streams.site_fact(conn, written)
    if not x.in_seq or last == x.in_id:
        return
    here = Checkpoint(stream=x.in_stream, generation=x.in_generation.n, seq=x.in_seq, id=x.in_id)
    site.tracker.write_checkpoint(checkpoint_name(x), msgspec.json.encode(here).decode())
    with site.ledger.begin() as conn:
        streams.set_site_fact(conn, written, x.in_id)
    site.step("I14")
