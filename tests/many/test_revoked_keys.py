"""A signing key in other hands: what it signed is refused from a number on, and what was applied before is named."""

from __future__ import annotations

import shutil
from pathlib import Path

from filesync.agent.incoming.arrivals import Damaged, KeyNotKnown
from filesync.agent.partners.agreements import KeyRevoked
from filesync.agent.partners.revocation import revoke
from filesync.errors import ExitCode
from filesync.keys.sshsig import FileSigner
from tests.faults.scene import only, quarantined, sent, summaries
from tests.many.scene import Type
from tests.many.test_keys import deliver, keys_of, outbox, rotate
from tests.support.forged import forge
from tests.support.two_sites import World

# ── a key in other hands ────────────────────────────────────────────────────────────────────────────────────────


def test_f92_what_is_held_of_a_revoked_key_is_listed_and_refused_and_a_new_key_goes_on(
    world: World, tmp_path: Path, type_: Type
) -> None:
    acme, globex = world.sides
    honest = sent(world, ["honest"])
    shutil.copy(acme.folder / "keys" / "signing", tmp_path / "thief")
    seq = acme.exchange().out_seq
    thief = FileSigner(tmp_path / "thief")
    ahead = forge(acme, tmp_path, signer=thief, seq=seq + 3, prev="1f" * 32)
    deliver(globex, *honest, ahead)
    assert globex.import_().held == 1

    status, out, _ = type_(acme, "keys", "rotate", "--stolen")
    assert status == ExitCode.WORK_LEFT
    assert f"main: call them. They run: filesync keys revoke acme --from-seq {seq + 1}" in out
    assert outbox(acme) == [], "no bundle says so: the thief could sign one as well"
    new = acme.site.signer().public.fingerprint()

    status, out, err = type_(globex, "keys", "revoke", "acme", "--from-seq", str(seq + 1))
    assert status == ExitCode.DONE
    assert f"Held and now refused: {seq + 3}; they are in quarantine" in err
    (kept,) = quarantined(globex)
    assert "revoked while bundle" in kept.with_suffix(".txt").read_text()
    assert globex.import_().held == 0
    status, out, _ = type_(globex, "keys", "list")
    assert status == ExitCode.CONFIG
    assert f"REVOKED from bundle {seq + 1} on" in out

    status, out, _ = type_(globex, "-q", "status")
    assert status == ExitCode.WORK_LEFT
    assert f"REVOKED: the key of acme from bundle {seq + 1} on; with its new one: filesync pair accept" in out

    deliver(globex, forge(acme, tmp_path, signer=thief))
    assert "BAD_SIGNATURE" in only(globex.import_(), Damaged)
    acme.desk.create("Bug", "with the new key")
    acme.export()
    world.carry(to=globex)
    told = only(globex.import_(), KeyNotKnown)
    assert f"revoked from bundle {seq + 1} on. If acme says that this is its new one: filesync pair accept" in told
    assert "with the new key" not in summaries(globex)

    (tmp_path / "acme.json").write_text(type_(acme, "pair", "export")[1])
    assert type_(globex, "pair", "accept", str(tmp_path / "acme.json"))[0] == ExitCode.CONFIG
    assert type_(globex, "pair", "accept", "--replace-key", str(tmp_path / "acme.json"))[0] == ExitCode.DONE
    globex.import_()
    assert {"honest", "with the new key"} <= summaries(globex)
    assert keys_of(globex, "acme")[-1] == new
    deliver(globex, honest[0])
    assert quarantined(globex) != []
    assert not any(isinstance(event, Damaged) for event in globex.import_().events), "what it signed before is good"
    world.settle()
    world.assert_in_step()


def test_f92_what_was_applied_before_it_was_said_is_named(world: World) -> None:
    acme, globex = world.sides
    sent_before = acme.exchange().out_seq
    for summary in ("one", "two"):
        acme.desk.create("Bug", summary)
        world.send(acme)
    events: list[object] = []
    globex.site.sinks = [events.append]
    done = revoke(globex.site, globex.exchange(), sent_before + 1)
    assert done.applied == (sent_before + 1, sent_before + 2)
    (told,) = [event for event in events if isinstance(event, KeyRevoked)]
    assert (
        f"Applied before this was said: {sent_before + 1}-{sent_before + 2}. Ask acme whether it made them" in told.sentence()
    )


def test_f92_a_number_before_the_newest_key_revokes_that_one_too(world: World) -> None:
    acme, globex = world.sides
    rotate(acme)
    world.settle()
    revoke(globex.site, globex.exchange(), 2)
    acme.desk.create("Bug", "late")
    (file,) = sent(world, ["late"])
    deliver(globex, file)
    assert "BAD_SIGNATURE" in only(globex.import_(), Damaged)
