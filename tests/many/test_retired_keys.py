"""What a key can still say that was changed, and that somebody kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.agent.incoming.arrivals import ReportLate
from filesync.agent.outgoing.rotation import rotate_signing
from filesync.bundle.header import BundleKind, Place, Position, Report, encode_report, file_name
from filesync.bundle.layout import REPORT
from filesync.bundle.write import NAMESPACE, data_bytes, pack, tar
from filesync.keys.sshsig import FileSigner, Signer
from filesync.ledger.streams import State
from filesync.model.ids import NO_BUNDLE
from tests.support.forged import header
from tests.support.two_sites import Side, two_sites


def a_report(side: Side, folder: Path, *, signer: Signer, own: Position | None) -> None:
    """That it has applied everything, by a number that no report has had."""
    x = side.exchange()
    says = Report(
        no=x.report_no + 50,
        of_stream=x.in_stream,
        generation=Place(x.in_generation.n, x.in_generation.id),
        received_to=x.in_seq,
        applied_to=x.in_seq,
        applied_id=x.in_id,
        own=own,
    )
    head = header(side, kind=BundleKind.REPORT, seq=0, prev=NO_BUNDLE, counts={}, report=says)
    bag = pack(head, [data_bytes(REPORT, encode_report(says))])
    signature = signer.sign(bag.tagmanifest, namespace=NAMESPACE)
    (folder / file_name(bag.header, bag.bundle_id, encrypted=False)).write_bytes(b"".join(tar(bag, signature)))


@pytest.mark.parametrize("early", [False, True])
def test_a_report_signed_with_a_key_that_was_changed_says_nothing_of_what_is(tmp_path: Path, early: bool) -> None:
    with two_sites() as world:
        acme, globex = world.sides
        for side in world.sides:
            side.desk.create("Bug", f"born at {side.name}")
        world.settle()
        (tmp_path / "kept").write_bytes((acme.folder / "keys" / "signing").read_bytes())
        (tmp_path / "kept").chmod(0o600)
        x = acme.exchange()
        before = Position(Place(x.out_generation.n, x.out_generation.id), x.out_seq - 1, x.out_id) if early else None
        rotate_signing(acme.site)
        acme.reopen()
        world.settle()
        taken = globex.exchange().report_taken
        a_report(acme, globex.config.folders.inbox, signer=FileSigner(tmp_path / "kept"), own=before)
        assert any(isinstance(event, ReportLate) for event in globex.import_().events)
        assert globex.exchange().state is State.PAIRED
        assert globex.exchange().report_taken == taken
        acme.desk.create("Bug", "after")
        world.settle()
        world.assert_in_step()
