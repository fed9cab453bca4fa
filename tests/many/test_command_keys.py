"""Changing a signing key that a command keeps: a real ssh-agent, which has both keys for a while."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from filesync.agent.outgoing.rotation import rotate_signing
from filesync.bundle.header import BundleKind
from filesync.bundle.write import NAMESPACE
from filesync.errors import ExitCode
from filesync.keys.signers import read_signers
from filesync.keys.sshsig import PublicKey, make_key, verify
from tests.many.scene import Type
from tests.merge.scene import crash
from tests.support.forged import head_of
from tests.support.programs import need
from tests.support.two_sites import Side, World, two_sites


@pytest.fixture
def world() -> Iterator[World]:
    with two_sites() as made:
        yield made


@dataclass(frozen=True)
class Agent:
    """An ssh-agent that has acme's key; acme's command signs with it."""

    folder: Path

    def gets(self, name: str) -> Path:
        """A new key. Returns its public half; the private one is in the agent alone."""
        make_key(self.folder / name, comment="")
        self.takes(self.folder / name)
        return self.folder / f"{name}.pub"

    def takes(self, private: Path) -> None:
        subprocess.run([need("ssh-add"), "-q", private], check=True)
        private.unlink()

    def loses(self, public: Path) -> None:
        subprocess.run([need("ssh-add"), "-q", "-d", public], check=True)


@pytest.fixture
def agent(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with subprocess.Popen([need("ssh-agent"), "-D", "-a", tmp_path / "agent"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()  # it listens
        one = Agent(tmp_path)
        one.takes(world.acme.folder / "keys" / "signing")
        command(world.acme, f"[{need('ssh-keygen')}, -Y, sign, -f, '{{public}}']")
        try:
            yield one
        finally:
            running.terminate()


def command(side: Side, words: str) -> None:
    """This one signs there now."""
    path = side.config.path
    text, found = re.subn(
        r"(?m)^  (signing: keys/signing|command: .*?\])( .*)?$", f"  command: {words}", path.read_text(), count=1
    )
    assert found == 1
    path.write_text(text)
    side.reopen()


def test_f91_a_key_that_an_agent_keeps_is_changed_like_any_other(world: World, agent: Agent, type_: Type) -> None:
    acme, globex = world.sides
    acme.desk.create("Bug", "one")
    before, new = acme.site.signer().public, agent.gets("new")
    acme.export()
    status, out, _ = type_(acme, "keys", "rotate", "--public", str(new))
    assert status == ExitCode.DONE
    key = PublicKey.parse(new.read_text())
    assert f"new key: {key.fingerprint()}" in out
    agent.loses(acme.folder / "keys" / "signing.pub")  # nothing needs it any more
    acme.desk.create("Bug", "two")
    acme.export()
    heads = [head_of(path, acme) for path in sorted(acme.config.folders.archive.iterdir())]
    signed = [verify(one.tagmanifest, one.signature, namespace=NAMESPACE) for one in heads]
    assert signed == [before, before, key]
    assert [one.header.kind for one in heads] == [BundleKind.CHANGES, BundleKind.KEYS, BundleKind.CHANGES]
    world.carry(to=globex)
    globex.import_()
    world.assert_in_step()
    assert globex.exchange().partner_key == key.text()
    assert type_(acme, "check")[0] == ExitCode.DONE
    assert type_(acme, "keys", "rotate", "--public", str(new))[0] == ExitCode.DONE
    assert acme.exchange().out_seq == 3, "the same key once more is no change"


@pytest.mark.parametrize("step", ["R1", "R2", "R3", "X5", "X9", "X12"])
def test_f45_f91_a_change_of_an_agents_key_that_was_cut_off_is_finished_by_the_same_command(
    world: World, agent: Agent, step: str
) -> None:
    acme, globex = world.sides
    new = agent.gets("new")
    with crash(acme, f"after {step}"):
        rotate_signing(acme.site, public=new)
    rotate_signing(acme.site, public=new)
    acme.desk.create("Bug", "one")
    acme.export()
    kinds = [head_of(path, acme).header.kind for path in sorted(acme.config.folders.archive.iterdir())]
    assert kinds == [BundleKind.KEYS, BundleKind.CHANGES]
    world.carry(to=globex)
    globex.import_()
    world.assert_in_step()
    own, *_ = read_signers(acme.config.keys.allowed_signers)
    assert own.key.text() == globex.exchange().partner_key == PublicKey.parse(new.read_text()).text()


def test_on_a_paused_exchange_the_agents_key_before_signs_when_it_goes_on(world: World, agent: Agent, type_: Type) -> None:
    acme, globex = world.sides
    new = agent.gets("new")
    type_(acme, "pause")
    assert type_(acme, "keys", "rotate", "--public", str(new))[0] == ExitCode.WORK_LEFT
    type_(acme, "resume")
    acme.desk.create("Bug", "one")
    acme.export()
    world.carry(to=globex)
    globex.import_()
    world.assert_in_step()
    assert globex.exchange().partner_key == PublicKey.parse(new.read_text()).text()


def test_a_new_key_that_the_command_cannot_sign_with_changes_nothing(world: World, agent: Agent, type_: Type) -> None:
    acme, _ = world.sides
    new = agent.gets("new")
    agent.loses(new)
    status, _, err = type_(acme, "keys", "rotate", "--public", str(new))
    assert status == ExitCode.CONFIG
    assert "the signing command" in err
    assert acme.exchange().out_seq == 0
    acme.desk.create("Bug", "goes on")
    acme.export()
    assert acme.exchange().out_seq == 1


@pytest.mark.parametrize(
    ("words", "options", "told"),
    [
        ("[ssh-keygen, -Y, sign, -f, keys/one.pub]", ["--public", "FILE"], "knows one key only"),
        ("[ssh-keygen, -Y, sign, -f, '{public}']", [], "give its public half: filesync keys rotate --public FILE"),
        ("[ssh-keygen, -Y, sign, -f, '{public}']", ["--public", "keys/age.txt"], "is not the public half of an Ed25519 key"),
        ("[ssh-keygen, -Y, sign, -f, '{public}']", ["--public", "none.pub"], "No such file"),
    ],
)
def test_a_change_of_the_commands_key_that_cannot_be_made_says_what_it_takes(
    world: World, type_: Type, words: str, options: list[str], told: str
) -> None:
    acme, _ = world.sides
    identity = acme.config.keys.age
    identity.write_text("".join(line for line in identity.read_text().splitlines(True) if not line.startswith("#")))
    command(acme, words)
    status, _, err = type_(acme, "keys", "rotate", *(str(acme.folder / one) if "/" in one else one for one in options))
    assert status in {ExitCode.CONFIG, ExitCode.DISK}
    assert told in err
    assert "AGE-SECRET-KEY" not in err, "the wrong file was named, and is quoted"
    assert acme.exchange().out_seq == 0


def test_a_key_in_a_file_is_made_here_and_never_named(world: World, type_: Type) -> None:
    status, _, err = type_(world.acme, "keys", "rotate", "--public", "new.pub")
    assert status == ExitCode.CONFIG
    assert "Leave out --public" in err
