"""An attachment of any size through both legs, in a process of its own: `python -m tests.support.large MIB FOLDER`.

Its bytes are a sparse file in acme's tracker. Prints the most memory that both legs took beyond what there was before, in KiB, and the size that
globex shows.
"""

from __future__ import annotations

import sys
from pathlib import Path

from filesync.model.ids import Kind
from filesync.trackers.embedded.entry import By
from tests.support.memory import from_now
from tests.support.two_sites import two_sites


def main(mib: int, base: Path) -> None:
    size = mib << 20
    with two_sites(base=base) as world:
        key = world.acme.desk.create("Bug", "Pump runs hot")
        with world.acme.desk.store.writing() as work:
            made = work.create_below(
                Kind.ATTACHMENT, key[4:], {"name": "disk.img", "size": str(size)}, By("j.becker", world.clock())
            )
        folder = world.acme.folder / "state" / "tracker.db.files"
        folder.mkdir()
        with (folder / made.ref.local).open("wb") as file:
            file.truncate(size)
        most = from_now()
        world.send(world.acme)
        (attachment,) = world.globex.desk.show(key).attachments
        landed = world.globex.folder / "state" / "tracker.db.files" / attachment.id
        print(most(), landed.stat().st_size)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
