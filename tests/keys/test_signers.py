"""The allowed signers: one file that we and ssh-keygen read alike."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from filesync.errors import ConfigError, DiskProblem, KeyProblem
from filesync.keys.signers import AllowedSigner, add_signer, read_signers
from filesync.keys.sshsig import FileSigner, PublicKey, make_key
from tests.support.programs import need

NAMESPACE = "filesync-bundle-v1@filesync"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[PublicKey, PublicKey]:
    return make_key(tmp_path / "one", comment="acme"), make_key(tmp_path / "two", comment="globex")


def test_what_is_added_is_read_back_in_order_and_twice_is_once(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    ours = AllowedSigner("acme", keys[0], (NAMESPACE,))
    theirs = AllowedSigner("globex", keys[1])
    path = tmp_path / "allowed_signers"
    for signer in (ours, theirs, ours, theirs):
        add_signer(path, signer)
    assert read_signers(path) == (ours, theirs)
    assert len(path.read_text().splitlines()) == 2


def test_comments_and_a_last_line_without_end_survive_an_addition(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    path.write_text("# ours first")
    add_signer(path, AllowedSigner("acme", keys[0]))
    assert path.read_text() == f"# ours first\nacme {keys[0].text()}\n"


def test_ssh_keygen_reads_our_file_and_heeds_the_namespace(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    add_signer(path, AllowedSigner("acme", keys[0], (NAMESPACE, "filesync-pairing@filesync")))
    for namespace, status in ((NAMESPACE, 0), ("file", 255)):
        (tmp_path / "sig").write_bytes(FileSigner(tmp_path / "one").sign(b"x", namespace=namespace))
        arguments: list[str | Path] = ["-Y", "verify", "-f", path, "-I", "acme", "-n", namespace, "-s", tmp_path / "sig"]
        done = subprocess.run([need("ssh-keygen"), *arguments], input=b"x", capture_output=True, check=False)
        assert done.returncode == status, done.stderr


def test_what_people_and_openssh_write_is_understood(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    path.write_text(
        f"\n  # a comment\nacme  {keys[0].text()} ana@acme\n"
        f'globex Namespaces="{NAMESPACE},file",valid-before="20200101",valid-after="19990101Z"  {keys[1].text()}\r\n'
    )
    assert read_signers(path) == (AllowedSigner("acme", keys[0]), AllowedSigner("globex", keys[1], (NAMESPACE, "file")))


def test_times_never_decide_who_may_sign_and_namespaces_do(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    path.write_text(f'acme valid-before="19990101",namespaces="file" {keys[0].text()}\n')
    (signer,) = read_signers(path)
    assert signer.may_sign("file")
    assert not signer.may_sign(NAMESPACE)
    assert AllowedSigner("acme", keys[0]).may_sign(NAMESPACE)


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    key = keys[0].text()
    lines = [
        f"acme {key}",
        f"* {key}",
        f"acme,globex {key}",
        f"acme cert-authority {key}",
        f'acme namespaces="file*" {key}',
        f'acme namespaces="file {key}',
        "acme ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==",
        "acme",
        f"globex {key}",
    ]
    path = tmp_path / "allowed_signers"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as caught:
        read_signers(path)
    assert [problem.where for problem in caught.value.problems] == [f"allowed_signers:{n}" for n in range(2, 10)]
    said = " | ".join(problem.what for problem in caught.value.problems)
    for words in ("not a site's name: '*'", "unknown option 'cert-authority'", "without patterns", "is acme's already"):
        assert words in said


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match="No such file"):
        read_signers(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_signers(tmp_path / "binary")
    (tmp_path / "long").write_bytes(b"#" * 70_000)
    with pytest.raises(ConfigError, match="longer than"):
        read_signers(tmp_path / "long")


@pytest.mark.parametrize("principal", ["Acme", "a b", "acme\nglobex", "", "*"])
def test_a_name_that_would_mean_something_else_in_the_file_is_not_written(
    tmp_path: Path, keys: tuple[PublicKey, PublicKey], principal: str
) -> None:
    with pytest.raises(ValueError):
        add_signer(tmp_path / "allowed_signers", AllowedSigner(principal, keys[0]))
    with pytest.raises(ValueError):
        add_signer(tmp_path / "allowed_signers", AllowedSigner("acme", keys[0], ('x" y',)))
    assert not (tmp_path / "allowed_signers").exists()


def test_one_key_under_two_names_is_not_written(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    add_signer(path, AllowedSigner("acme", keys[0]))
    with pytest.raises(KeyProblem, match="the key of globex is acme's already") as told:
        add_signer(path, AllowedSigner("globex", keys[0]))
    assert "Ask globex for its own pairing file" in told.value.hint
    assert len(read_signers(path)) == 1


def test_a_key_gives_way_to_another_and_no_other_line_changes(tmp_path: Path, keys: tuple[PublicKey, PublicKey]) -> None:
    path = tmp_path / "allowed_signers"
    third = make_key(tmp_path / "three", comment="")
    path.write_text(
        f"# ours\nacme {keys[0].text()}\n# theirs\nglobex {keys[1].text()} old\nglobex {third.text()}\u2028 by hand"
    )
    new = AllowedSigner("globex", make_key(tmp_path / "four", comment=""), (NAMESPACE,))
    add_signer(path, new, instead_of=AllowedSigner("globex", keys[1], (NAMESPACE,)))
    assert path.read_text() == (
        f"# ours\nacme {keys[0].text()}\n# theirs\nglobex {third.text()}\u2028 by hand\n"
        f'globex namespaces="{NAMESPACE}" {new.key.text()}\n'
    )
