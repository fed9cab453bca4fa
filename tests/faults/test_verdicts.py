"""Verdicts on whole bundles, carried out: held, waiting outside, lost from the store, disposed of as the site wants it."""

from __future__ import annotations

import os

import pytest

from filesync.agent.events import Stopped
from filesync.agent.incoming.arrivals import Outside
from filesync.agent.incoming.bundles import ContractDiffers
from filesync.bundle.header import BundleKind, Follows, Place
from filesync.errors import DiskProblem, ExitCode
from filesync.ledger.streams import State
from tests.faults.scene import Terminal, change_settings, deliver, inbox, only, sent, summaries
from tests.support.forged import a_bug, first, forge
from tests.support.two_sites import World


def test_a_bundle_under_another_contract_is_held_and_applied_when_both_agree(plain: World, terminal: Terminal) -> None:
    contract = plain.globex.folder / "contract.yaml"
    agreed = contract.read_text()
    contract.write_text(agreed.replace("version: 1", "version: 2", 1))
    plain.globex.reopen()
    files = sent(plain, ["one", "two"])
    deliver(plain.globex, *files)
    for _ in range(2):
        done = plain.globex.import_()
        assert "It is held, nothing is lost: it is applied as soon as contract.yaml here is the one it was made under" in only(
            done, ContractDiffers
        )
        assert (done.held, done.bundles, inbox(plain.globex)) == (2, 0, [])
    assert terminal(plain.globex, "import")[0] == ExitCode.WORK_LEFT
    contract.write_text(agreed)
    plain.globex.reopen()
    assert plain.globex.import_().bundles == 2
    assert summaries(plain.globex) == {"one", "two"}


def test_a_new_generation_waits_in_the_inbox_for_a_person(plain: World, terminal: Terminal) -> None:
    (one,) = sent(plain, ["one"])
    deliver(plain.globex, one)
    plain.globex.import_()
    x = plain.acme.exchange()
    follows = Follows(Place(1, x.out_generation.id), 1, x.out_id)
    new = {"generation": Place(2, "d1" * 16), **first(plain.acme)}
    for kind in (BundleKind.RESET, BundleKind.CHANGES):
        wait = forge(plain.acme, one.parent, kind=kind, follows=follows if kind is BundleKind.RESET else None, **new)
        deliver(plain.globex, wait)
        told = only(plain.globex.import_(), Outside)
        assert told.startswith(f"{wait.name} stays in the inbox: ")
        assert "generation 2" in told
        assert [path.name for path in inbox(plain.globex)] == [wait.name]
        assert terminal(plain.globex, "import")[0] == ExitCode.WORK_LEFT
        inbox(plain.globex)[0].unlink()
    assert plain.globex.exchange().in_generation.n == 1


def test_a_bundle_lost_from_the_store_is_asked_for_and_taken_again(plain: World) -> None:
    first_one, second = sent(plain, ["one", "two"])
    deliver(plain.globex, second)
    plain.globex.import_()
    (kept,) = plain.globex.config.folders.store.glob("*.tar")
    kept.unlink()
    deliver(plain.globex, first_one)
    with pytest.raises(DiskProblem, match=r"bundle 2 was taken, but .* is gone") as told:
        plain.globex.import_()
    assert "ask acme to run: filesync resend globex 2" in told.value.hint
    deliver(plain.globex, second)
    assert plain.globex.import_().bundles == 1
    assert summaries(plain.globex) == {"one", "two"}


def test_what_is_signed_but_says_nonsense_stops_the_stream_before_any_of_it_is_applied(plain: World) -> None:
    good, bad_one = a_bug(plain.acme, "good"), a_bug(plain.acme, "bad")
    deliver(plain.globex, forge(plain.acme, plain.acme.folder, changes=[good, bad_one]))  # both are line 1
    assert "line 2" in only(plain.globex.import_(), Stopped)
    assert plain.globex.exchange().state is State.STOPPED
    assert plain.globex.desk.list() == ()


@pytest.mark.parametrize(("policy", "left"), [("keep", 1), ("move", 0), ("delete", 0)])
def test_the_inbox_policy_decides_what_becomes_of_judged_files(plain: World, policy: str, left: int) -> None:
    change_settings(plain.globex, inbox_policy=policy)
    (one,) = sent(plain, ["Pump"])
    deliver(plain.globex, one)
    assert plain.globex.import_().bundles == 1
    assert len(inbox(plain.globex)) == left
    arrived = plain.globex.config.folders.store / "arrived"
    assert [path.name for path in arrived.glob("*")] == ([one.name] if policy == "move" else [])
    again = plain.globex.import_()
    assert again.events == (), "what stays is not opened again"


def test_a_file_that_stays_and_is_written_anew_is_looked_at_again(plain: World) -> None:
    change_settings(plain.globex, inbox_policy="keep")
    one, two = sent(plain, ["one", "two"])
    deliver(plain.globex, one)
    plain.globex.import_()
    (lies,) = inbox(plain.globex)
    lies.write_bytes(two.read_bytes())
    assert plain.globex.import_().bundles == 1


def test_a_file_rewritten_in_place_is_looked_at_again_though_all_that_can_be_forged_is_the_same(plain: World) -> None:
    change_settings(plain.globex, inbox_policy="keep")
    one, two = sent(plain, ["one", "two"])
    deliver(plain.globex, one)
    plain.globex.import_()
    (lies,) = inbox(plain.globex)
    before = lies.stat()
    lies.write_bytes(two.read_bytes())
    os.utime(lies, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = lies.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert plain.globex.import_().bundles == 1
