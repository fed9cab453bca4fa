"""A simulated Jira to look at: `python -m tests.support.jira cloud 8080`. It ends with Ctrl-C."""

from __future__ import annotations

import sys
from threading import Event

from tests.support.jira.clock import WallClock
from tests.support.jira.site import FLAVOURS, JiraSite


def main(flavour: str = "dc-10.3", port: str = "8080") -> None:
    """Serve one until somebody ends it."""
    chosen = next((one for one in FLAVOURS if one.name == flavour), None)
    if chosen is None:
        sys.exit(f"there is no {flavour!r}: {', '.join(one.name for one in FLAVOURS)}")
    with JiraSite(chosen, clock=WallClock(), address=("127.0.0.1", int(port))) as site:
        secret = f"{site.email} and the token {site.token}" if chosen.cloud else f"{site.user}, {site.password}, {site.token}"
        print(f"{chosen.name} at {site.url}, project ABC, as {secret}")
        try:
            Event().wait()
        except KeyboardInterrupt:
            print("ended")


if __name__ == "__main__":
    main(*sys.argv[1:])
