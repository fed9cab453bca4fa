"""A bundle in the store, read once more before it is applied: it may lie there for long."""

from __future__ import annotations

from filesync.agent.incoming.missing import resend_command
from filesync.agent.paired import Paired
from filesync.agent.partners.trust import partner_keys
from filesync.agent.site import Site
from filesync.agent.staged import check_signature, read_whole
from filesync.bundle.read import Bundle, Head
from filesync.errors import DiskProblem, StorageFailure
from filesync.ledger.streams import Taken


def reread(site: Site, paired: Paired, taken: Taken) -> Bundle:
    """The bundle, every byte and its signer verified. Raises BadBundle, DiskProblem, StorageFailure, ConfigError."""
    path = site.config.folders.store / taken.file
    if not path.exists():
        again = resend_command(paired.us.name, [taken.seq])
        raise DiskProblem(
            f"bundle {taken.seq} was taken, but {str(path)!r} is gone",
            hint=f"Put it back; or ask {paired.them.name} to run: {again}. Other exchanges go on.",
        )

    def check(head: Head) -> None:
        check_signature(head, partner_keys(site, paired.exchange, head.header), signer=paired.them.name)

    whole = read_whole(path, check=check)
    if not isinstance(whole, Bundle) or whole.head.bundle_id != taken.id:
        raise StorageFailure(
            f"{path} is not what was stored there: bundle {taken.seq}",
            hint="Check the disk. The stream waits, nothing of the bundle was applied; other exchanges go on.",
        )
    return whole
