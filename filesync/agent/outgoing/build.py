"""From a packed bag to a finished file in the spool: written, signed, read back, encrypted (X4-X7 of docs/format.md)."""

from __future__ import annotations

from pathlib import Path

from filesync.agent.partners.trust import signer_of
from filesync.agent.site import Site
from filesync.agent.staged import check_own
from filesync.bundle.write import NAMESPACE, Bag, tar
from filesync.errors import KeyProblem, disk_problem
from filesync.exchange import files
from filesync.keys import age
from filesync.ledger.streams import Exchange


def build(site: Site, x: Exchange, bag: Bag, name: str) -> Path:
    """The file, in the spool, as our own reader has read it. Raises DiskProblem, StorageFailure, KeyProblem."""
    spool = site.spool(x)
    plain = spool / name.removesuffix(".age")
    signer = signer_of(site, x, bag.header)
    signature = signer.sign(bag.tagmanifest, namespace=NAMESPACE)  # X5; X4 and X6 write while they build
    site.step("X5")
    files.write_whole(plain, tar(bag, signature))
    site.step("X4")
    check_own(plain, bag.bundle_id, signer.public)  # X7
    site.step("X7")
    if not x.encrypt:
        return plain
    check_recipient(x)
    finished = spool / name
    ours = age.recipient_of(site.config.keys.age)
    age.encrypt(plain, finished, recipients=[x.partner_recipient, ours])  # X6
    site.step("X6")
    back = spool / f"{plain.name}.check"
    age.decrypt(finished, back, identity=site.config.keys.age)
    check_own(back, bag.bundle_id, signer.public)
    return finished


def check_recipient(x: Exchange) -> None:
    """Raises KeyProblem where bundles are to be encrypted and it is not known for whom: what came of a revocation."""
    if x.lacks_recipient:
        raise KeyProblem(
            f"nothing is exported to {x.partner_name}: its age key came with a bundle that was revoked, so it is not known for "
            f"whom to encrypt. Nothing is lost; what {x.partner_name} sends is not affected by this",
            hint=f"ask {x.partner_name} for its new pairing file: filesync pair accept --replace-key --exchange {x.name} FILE",
        )


def clear_spool(spool: Path) -> None:
    """Remove what a build left there, also one that was cut off: some of it is in the clear. Raises DiskProblem."""
    try:
        spool.mkdir(parents=True, exist_ok=True)
        for left in spool.iterdir():
            left.unlink()
    except OSError as error:
        raise disk_problem(error, spool) from error
