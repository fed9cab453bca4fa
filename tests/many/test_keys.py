"""Keys that change, and keys that nobody is to believe any more."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from filesync.agent.asked.inspect import inspected
from filesync.agent.incoming.arrivals import Damaged, KeyNotKnown
from filesync.agent.outgoing.rotation import rotate_age, rotate_signing
from filesync.agent.partners.agreements import KeyIntroduced
from filesync.agent.partners.pausing import pause, resume
from filesync.agent.record import Record
from filesync.bundle.changes import compress
from filesync.bundle.header import BundleKind, file_name
from filesync.bundle.introduction import Introduction, encode_introduction
from filesync.bundle.write import NAMESPACE, changes_file, pack, tar
from filesync.errors import ExitCode, StreamStopped
from filesync.keys import age
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import FileSigner, make_key
from filesync.ledger import streams
from filesync.ledger.streams import Direction
from tests.faults.scene import only, quarantined, summaries
from tests.many.scene import Type
from tests.support.attachments import attached, bytes_of, chunk_files, small_limits
from tests.support.forged import forge, head_of, header
from tests.support.programs import need
from tests.support.two_sites import EXCHANGE, Side, World, two_sites


def rotate(side: Side, *, stolen: bool = False) -> str:
    """A new signing key; its fingerprint."""
    done = rotate_signing(side.site, stolen=stolen)
    side.reopen()
    return done.fingerprint


def keys_of(side: Side, principal: str) -> list[str]:
    return [one.key.fingerprint() for one in read_signers(side.config.keys.allowed_signers) if one.principal == principal]


def outbox(side: Side) -> list[Path]:
    return sorted(side.config.folders.outbox.iterdir())


def deliver(side: Side, *files: Path) -> None:
    for file in files:
        shutil.copy(file, side.config.folders.inbox / file.name)


# ── a new key that signs ────────────────────────────────────────────────────────────────────────────────────────


def test_f91_a_new_key_is_learned_from_a_bundle_that_the_one_before_signed_and_all_goes_on(world: World) -> None:
    acme, globex = world.sides
    before = acme.site.signer().public.fingerprint()
    new = rotate(acme)
    assert new != before
    assert acme.site.signer().public.fingerprint() == new
    assert acme.config.keys.signing is not None
    assert sorted(path.name for path in acme.config.keys.signing.parent.iterdir()) == [
        "age.txt",
        "allowed_signers",
        "signing",
        "signing.pub",
    ], "the key before is gone: nothing needs it"
    assert (acme.folder / "keys" / "signing").stat().st_mode & 0o777 == 0o600
    acme.desk.create("Bug", "after")
    globex.desk.create("Bug", "meanwhile")
    acme.export()
    world.carry(to=globex)
    done = globex.import_()
    assert f"Its bundles from {acme.exchange().out_seq} on are signed with {new}" in only(done, KeyIntroduced)
    assert "after" in summaries(globex)
    assert keys_of(globex, "acme") == [before, new]
    assert keys_of(acme, "acme") == [new, before], "our own stands first"
    world.settle()
    world.assert_in_step()
    twice = rotate(acme)
    rotate(globex)
    world.settle()
    world.assert_in_step()
    assert keys_of(globex, "acme") == [before, new, twice]


def test_f91_the_check_by_hand_holds_for_bundles_of_before_and_after(world: World, tmp_path: Path) -> None:
    acme, globex = world.sides
    rotate(acme)
    acme.desk.create("Bug", "after")
    world.settle()
    files = sorted(path for path in acme.config.folders.archive.iterdir() if not path.name.startswith("."))
    assert len(files) >= 3
    keygen, untar = need("ssh-keygen"), need("tar")
    signers = {}
    for number, file in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        plain = folder / "b.tar"
        age.decrypt(file, plain, identity=globex.config.keys.age)
        subprocess.run([untar, "-xf", plain, "--strip-components=1"], cwd=folder, check=True)
        told = subprocess.run(
            [
                keygen,
                "-Y",
                "verify",
                "-f",
                globex.config.keys.allowed_signers,
                "-I",
                "acme",
                "-n",
                NAMESPACE,
                "-s",
                "tagmanifest-sha256.txt.sig",
            ],
            input=(folder / "tagmanifest-sha256.txt").read_bytes(),
            cwd=folder,
            capture_output=True,
            check=True,
        )
        signers[file.name] = told.stdout.decode().split()[-1]
    assert len(set(signers.values())) == 2
    for side in world.sides:
        for file in files:
            with inspected(file, side.config) as found:
                assert found.good, found.problems


def test_f91_what_the_new_key_signed_waits_for_the_bundle_that_introduces_it_however_long(world: World) -> None:
    acme, globex = world.sides
    new = rotate(acme)
    (introduction,) = outbox(acme)
    introduction.rename(acme.folder / introduction.name)
    acme.desk.create("Bug", "after")
    acme.export()
    (early,) = outbox(acme)
    deliver(globex, early)
    seq = acme.exchange().out_seq
    for _ in range(3):
        done = globex.import_()
        told = only(done, KeyNotKnown)
        assert f"bundle {seq} of acme ({early.name}) is signed with {new}, which is not known here yet" in told
        assert f"ask acme to run: filesync resend globex {seq - 1}" in told
        world.clock.advance(days=2)
    assert quarantined(globex) == []
    deliver(globex, acme.folder / introduction.name)
    done = globex.import_()
    assert done.bundles == 2, "one import takes both"
    assert "after" in summaries(globex)
    world.settle()
    world.assert_in_step()


def test_f91_a_report_that_the_new_key_signed_waits_as_well(world: World) -> None:
    acme, globex = world.sides
    rotate(acme)
    (introduction,) = outbox(acme)
    introduction.rename(acme.folder / introduction.name)
    world.clock.advance(days=2)
    assert acme.export().reported
    deliver(globex, *outbox(acme))
    assert "a report of acme" in only(globex.import_(), KeyNotKnown)
    assert quarantined(globex) == []
    deliver(globex, acme.folder / introduction.name)
    globex.import_()
    assert list(globex.config.folders.inbox.glob("fs1_*")) == []


def test_f91_a_chunk_that_the_new_key_signed_waits_and_one_that_no_bundle_ever_explains_is_refused_in_the_end(
    tmp_path: Path,
) -> None:
    film = bytes_of(14_000, "film")
    with two_sites(encrypt=True) as world:
        acme, globex = world.sides
        small_limits(world)
        acme.desk.create("Bug", "Pump")
        world.settle()
        rotate(acme)
        (introduction,) = outbox(acme)
        shutil.move(introduction, tmp_path / introduction.name)
        acme.desk.attach("ABC-1", "pump.mov", [film])
        acme.export()
        chunks = chunk_files(acme.config.folders.outbox)
        change = [file for file in outbox(acme) if file not in chunks]
        assert len(chunks) == 4
        deliver(globex, *chunks)
        told = [event.sentence() for event in globex.import_().events if isinstance(event, KeyNotKnown)]
        assert len(told) == 4
        assert all("a chunk of acme (" in one for one in told)
        assert quarantined(globex) == []
        deliver(globex, tmp_path / introduction.name, *change)
        globex.import_()
        globex.import_()
        assert attached(globex, "ABC-1") == [("pump.mov", film)]

        make_key(tmp_path / "stranger", comment="")
        forged = chunk_files(acme.config.folders.archive)[0]
        plain = tmp_path / "plain.tar"
        age.decrypt(forged, plain, identity=acme.config.keys.age)
        head = head_of(plain, acme)
        signature = FileSigner(tmp_path / "stranger").sign(head.tagmanifest, namespace=NAMESPACE)
        file = globex.config.folders.inbox / "fs1_forged.tar"
        file.write_bytes(plain.read_bytes().replace(head.signature, signature))
        assert len(head.signature) == len(signature)
        only(globex.import_(), KeyNotKnown)
        world.clock.advance(days=31)
        assert "BAD_SIGNATURE" in only(globex.import_(), Damaged)


def test_f91_the_key_before_signs_nothing_new(world: World, tmp_path: Path) -> None:
    acme, globex = world.sides
    shutil.copy(acme.folder / "keys" / "signing", tmp_path / "before")
    rotate(acme)
    world.settle()
    forged = forge(acme, tmp_path, signer=FileSigner(tmp_path / "before"))
    deliver(globex, forged)
    assert "BAD_SIGNATURE" in only(globex.import_(), Damaged)
    with inspected(forged, globex.config) as found:
        assert found.code == "BAD_SIGNATURE"
    assert "forged" not in summaries(globex)


def test_what_was_numbered_before_is_signed_with_the_key_before_though_it_is_built_after(world: World) -> None:
    acme = world.acme
    before = acme.site.signer().public.fingerprint()
    acme.desk.create("Bug", "numbered before")

    def strike(place: str) -> None:
        if place == "after X3":
            raise KeyboardInterrupt

    acme.faults.strike = strike
    with pytest.raises(KeyboardInterrupt):
        acme.export()
    acme.faults.strike = lambda _place: None
    acme.reopen()
    x = acme.exchange()
    with acme.site.ledger.begin() as conn:  # nothing can be published: the key before is still needed after the rotation
        pause(conn, x, Record(EXCHANGE, clock=world.clock), reason="", now=1)
    assert rotate_signing(acme.site).later == {EXCHANGE: "it is paused"}
    assert [path.name for path in (acme.folder / "keys").glob("signing.old-*")] != []
    x = acme.exchange()
    with acme.site.ledger.begin() as conn:
        resume(conn, x, Record(EXCHANGE, clock=world.clock))
    acme.reopen()
    acme.export()
    signers = {}
    for file in outbox(acme):
        with inspected(file, acme.config) as found:
            assert found.head is not None
            assert found.key is not None
            signers[found.head.header.seq] = found.key.fingerprint()
    assert list(signers.values())[:2] == [before, before]
    acme.reopen()
    assert list((acme.folder / "keys").glob("signing.old-*")) == [], "removed when nothing waits for it"
    world.settle()
    world.assert_in_step()


def test_a_key_of_a_third_cannot_be_introduced(world: World, tmp_path: Path) -> None:
    acme, globex = world.sides
    ours = read_signers(globex.config.keys.allowed_signers)[0].key.text()
    one = header(acme, kind=BundleKind.KEYS, counts={"key": 1}, contract="")
    bag = pack(one, [changes_file(compress([encode_introduction(Introduction(n=1, key=ours))]))])
    file = tmp_path / file_name(bag.header, bag.bundle_id, encrypted=False)
    file.write_bytes(b"".join(tar(bag, acme.site.signer().sign(bag.tagmanifest, namespace=NAMESPACE))))
    deliver(globex, file)
    assert globex.import_().bundles == 0
    with pytest.raises(StreamStopped, match="the key that it brings is not valid"):
        globex.import_()


def test_a_bundle_of_keys_needs_no_contract(world: World) -> None:
    acme, globex = world.sides
    contract = acme.folder / "contract.yaml"
    contract.write_text(contract.read_text().replace("version: 1", "version: 2", 1))
    acme.reopen()
    new = rotate(acme)
    world.carry(to=globex)
    assert globex.import_().bundles == 1
    assert keys_of(globex, "acme")[-1] == new


def test_a_one_way_exchange_hears_of_new_keys_too(tmp_path: Path, type_: Type) -> None:
    with two_sites(encrypt=True) as world:
        acme, globex = world.sides
        for side, direction in ((acme, Direction.SEND), (globex, Direction.RECEIVE)):
            x = side.exchange()
            with side.site.ledger.begin() as conn:
                streams.update_exchange(conn, x.id, direction=direction)
        acme.desk.create("Bug", "Pump")
        world.send(acme)
        rotate(acme)
        acme.desk.create("Bug", "Valve")
        world.send(acme)
        assert summaries(globex) == {"Pump", "Valve"}
        status, out, _ = type_(globex, "keys", "rotate", "--age")
        assert status == ExitCode.WORK_LEFT
        assert "main: give them a new pairing file" in out, "nothing can be sent there, so a person does"
        assert type_(globex, "pair", "export")[1].count(age.recipient_of(globex.config.keys.age)) == 1


def test_keys_list_and_show_say_which_key_signs_what(world: World, type_: Type) -> None:
    acme, globex = world.sides
    before = acme.site.signer().public.fingerprint()
    status, out, _ = type_(acme, "keys", "rotate")
    assert status == ExitCode.DONE
    new = acme.site.signer().public.fingerprint()
    assert f"new key: {new}" in out
    (file,) = outbox(acme)
    out = type_(acme, "show", "--changes", str(file))[1]
    assert "kind keys" in out
    assert f"key {new} signs from the next bundle on" in out
    seq = acme.exchange().out_seq
    world.settle()
    status, out, _ = type_(globex, "keys", "list")
    assert status == ExitCode.DONE
    assert f"acme (exchange main, since its first bundle, until {seq})\n    signs with  {before}\n" in out
    assert f"acme (exchange main, since bundle {seq + 1})\n    signs with  {new}\n" in out
    assert type_(acme, "check")[0] == ExitCode.DONE


# ── a new key that opens ────────────────────────────────────────────────────────────────────────────────────────


def test_f91_partners_encrypt_for_the_new_age_key_and_what_travels_is_still_opened(world: World) -> None:
    acme, globex = world.sides
    before = age.recipient_of(acme.config.keys.age)
    globex.desk.create("Bug", "on its way")
    globex.export()
    done = rotate_age(acme.site)
    assert done.recipient != before
    assert age.recipient_of(acme.config.keys.age) == done.recipient
    assert (acme.folder / "keys" / "age.txt").stat().st_mode & 0o777 == 0o600
    world.carry(to=acme)
    acme.import_()
    assert "on its way" in summaries(acme)
    world.carry(to=globex)
    assert f"encrypted for {done.recipient} from now on" in only(globex.import_(), KeyIntroduced)
    assert globex.exchange().partner_recipient == done.recipient
    only_new = acme.folder / "only-new"
    only_new.write_bytes(b"".join(acme.config.keys.age.read_bytes().splitlines(keepends=True)[:2]))
    only_new.chmod(0o600)
    globex.desk.create("Bug", "for the new one")
    globex.export()
    (file,) = outbox(globex)
    age.decrypt(file, acme.folder / "opened", identity=only_new)
    world.settle()
    world.assert_in_step()


def test_f91_a_chunk_signed_with_a_key_that_no_bundle_named_yet_waits_unread(world: World) -> None:
    small_limits(world)
    rotate(world.acme)
    world.acme.export()
    world.acme.desk.attach("ABC-1", "pump.mov", [bytes_of(6_000)])
    world.acme.export()
    chunks = chunk_files(world.acme.config.folders.outbox)
    assert len(chunks) == 2
    deliver(world.globex, *chunks)
    told = [one for one in world.globex.import_().events if isinstance(one, KeyNotKnown)]
    assert len(told) == 2
    assert told[0].sentence().startswith(f"a chunk of acme ({told[0].file}) is signed with SHA256:")
    assert not quarantined(world.globex)
    deliver(world.globex, *(file for file in outbox(world.acme) if file not in chunks))
    world.globex.import_()
    world.globex.import_()
    assert attached(world.globex, "ABC-1") == [("pump.mov", bytes_of(6_000))]
