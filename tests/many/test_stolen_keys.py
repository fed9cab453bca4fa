"""A signing key in other hands that says whom we encrypt for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from filesync.agent.outgoing.rotation import rotate_age
from filesync.agent.partners.agreements import KeyRevoked
from filesync.agent.partners.revocation import revoke
from filesync.bundle.changes import compress
from filesync.bundle.header import BundleKind, file_name
from filesync.bundle.introduction import Introduction, encode_introduction
from filesync.bundle.write import NAMESPACE, changes_file, pack, tar
from filesync.errors import ExitCode, KeyProblem
from filesync.keys import age
from tests.faults.scene import deliver, summaries
from tests.many.scene import Type
from tests.support.forged import header
from tests.support.two_sites import Crash, Side, World, two_sites


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites(encrypt=True) as made:
        made.acme.desk.create("Bug", "before")
        made.settle()
        yield made


def introduce(side: Side, folder: Path, *, recipient: str) -> Path:
    """A bundle at the side's next number that only names who opens what is sent to it, signed with its own key."""
    one = header(side, kind=BundleKind.KEYS, counts={"key": 1}, contract="")
    signer = side.site.signer()
    says = Introduction(n=1, key=signer.public.text(), recipient=recipient)
    bag = pack(one, [changes_file(compress([encode_introduction(says)]))])
    file = folder / file_name(bag.header, bag.bundle_id, encrypted=False)
    file.write_bytes(b"".join(tar(bag, signer.sign(bag.tagmanifest, namespace=NAMESPACE))))
    return file


def opens(identity: Path, file: Path, folder: Path) -> bool:
    target = folder / f"{file.name}-{identity.name}"
    try:
        age.decrypt(file, target, identity=identity)
    except age.ForAnotherKey:
        return False
    return True


def test_f92_nothing_is_encrypted_for_the_thief_once_the_key_is_revoked(world: World, tmp_path: Path, type_: Type) -> None:
    acme, globex = world.sides
    thief = age.make_identity(tmp_path / "thief")
    seq = acme.exchange().out_seq + 1
    deliver(globex, introduce(acme, tmp_path, recipient=thief))
    globex.import_()
    globex.desk.create("Bug", "read by the thief")
    globex.export()
    box = globex.config.folders.outbox
    (stolen,) = box.iterdir()
    assert opens(tmp_path / "thief", stolen, tmp_path), "or this test shows nothing"
    shutil.move(stolen, tmp_path / stolen.name)

    status, _, err = type_(globex, "keys", "revoke", "acme", "--from-seq", str(seq))
    assert status == ExitCode.DONE
    assert f"One of them made us encrypt for {thief}: nothing more is encrypted for that" in err
    globex.desk.create("Bug", "not for the thief")
    made = globex.exchange().out_seq
    status, _, err = type_(globex, "export")
    assert status == ExitCode.CONFIG
    assert "nothing is exported to acme: its age key came with a bundle that was revoked" in err
    assert "filesync pair accept --replace-key" in err
    assert list(box.iterdir()) == []
    assert globex.exchange().out_seq == made, "nothing was numbered either"
    assert "NOTHING IS EXPORTED: its age key came with" in type_(globex, "-q", "status")[1]
    assert "exports wait for the new pairing file" in type_(globex, "keys", "list")[1]

    assert type_(acme, "keys", "rotate", "--stolen")[0] == ExitCode.WORK_LEFT
    (tmp_path / "acme.json").write_text(type_(acme, "pair", "export")[1])
    assert type_(globex, "pair", "accept", "--replace-key", str(tmp_path / "acme.json"))[0] == ExitCode.DONE
    globex.export()
    (file,) = box.iterdir()
    assert opens(acme.config.keys.age, file, tmp_path)
    assert not opens(tmp_path / "thief", file, tmp_path)
    assert "NOTHING IS EXPORTED" not in type_(globex, "-q", "status")[1]


def test_f92_what_had_a_number_when_the_key_was_revoked_is_not_built_for_the_thief(world: World, tmp_path: Path) -> None:
    acme, globex = world.sides
    seq = acme.exchange().out_seq + 1
    deliver(globex, introduce(acme, tmp_path, recipient=age.make_identity(tmp_path / "thief")))
    globex.import_()
    globex.desk.create("Bug", "numbered")

    def strike(place: str) -> None:
        if place == "after X3":
            raise KeyboardInterrupt

    globex.faults.strike = strike
    with pytest.raises(KeyboardInterrupt):
        globex.export()
    globex.faults.strike = lambda _place: None
    globex.reopen()
    revoke(globex.site, globex.exchange(), seq)
    globex.reopen()
    with pytest.raises(KeyProblem, match="it is not known for whom to encrypt"):
        globex.export()
    assert list(globex.config.folders.outbox.iterdir()) == []


def test_f92_stuck_changes_of_revoked_bundles_are_dropped_and_those_before_stay(world: World) -> None:
    acme, globex = world.sides
    globex.faults.refuse = lambda call, _what: "it is locked" if call == "create" else None
    for summary in ("honest", "forged"):
        acme.desk.create("Bug", summary)
        world.send(acme)
    assert len(globex.stuck()) == 2
    before = globex.stuck()[0]
    done = revoke(globex.site, globex.exchange(), acme.exchange().out_seq)
    assert done.undecided == 1
    assert globex.queued() == [before]
    globex.faults.refuse = lambda _call, _what: None
    globex.retry()
    assert summaries(globex) == {"before", "honest"}


@pytest.mark.parametrize("place", ["after create", "after I12"])
def test_f92_a_bundle_that_an_import_had_begun_with_is_named(world: World, place: str) -> None:
    acme, globex = world.sides
    acme.desk.create("Bug", "forged")
    acme.export()
    world.carry(to=globex)

    def strike(there: str) -> None:
        if there == place:
            raise Crash

    globex.faults.strike = strike
    with pytest.raises(Crash):
        globex.import_()
    globex.faults.strike = lambda _place: None
    globex.reopen()
    events: list[object] = []
    globex.site.sinks = [events.append]
    seq = acme.exchange().out_seq
    done = revoke(globex.site, globex.exchange(), seq)
    assert (done.refused, done.partly, done.applied) == ((seq,), (seq,), ())
    (told,) = [one for one in events if isinstance(one, KeyRevoked)]
    assert f"An import had begun with {seq}, and some of that may be applied. Ask acme whether it made them" in told.sentence()


def test_f92_a_recipient_that_came_before_the_revoked_number_stays(world: World) -> None:
    acme, globex = world.sides
    new = rotate_age(acme.site).recipient
    acme.reopen()
    world.settle()
    events: list[object] = []
    globex.site.sinks = [events.append]
    assert revoke(globex.site, globex.exchange(), acme.exchange().out_seq + 1).recipient == ""
    (told,) = [one for one in events if isinstance(one, KeyRevoked)]
    assert "encrypt" not in told.sentence()
    assert globex.exchange().partner_recipient == new
    globex.desk.create("Bug", "goes on")
    assert globex.export().bundles == 1


def test_f92_a_recipient_that_is_told_again_by_a_thief_keeps_the_place_where_it_came_first(
    world: World, tmp_path: Path
) -> None:
    acme, globex = world.sides
    new = rotate_age(acme.site).recipient
    acme.reopen()
    world.settle()
    seq = acme.exchange().out_seq + 1
    deliver(globex, introduce(acme, tmp_path, recipient=new))
    globex.import_()
    assert globex.exchange().in_seq == seq
    assert revoke(globex.site, globex.exchange(), seq).applied == (seq,)
    assert globex.exchange().partner_recipient == new
