"""A bundle needs no filesync: the usual programs check it, read it, and make it; the page that says so is run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import bagit
import msgspec
import pytest

from filesync.bundle import limits as bounds
from filesync.bundle.changes import encode_change
from filesync.bundle.header import FileEntry, Header, InChunks, Report
from filesync.bundle.verdict import Code
from filesync.bundle.write import Bag
from filesync.model.change import Blob, Chunk, Create, Delete, Scoped, Set
from filesync.model.issue import Scope
from tests.support.bundles import CHANGES, GOLDEN, bag, packed, report_bag, sign
from tests.support.programs import need

PAGE = (Path(__file__).parent.parent.parent / "docs" / "format.md").read_text()


def run(*command: str | Path, folder: Path, text: bytes = b"") -> bytes:
    return subprocess.run(command, cwd=folder, input=text, capture_output=True, check=True).stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def signed(one: Bag, folder: Path) -> Path:
    scratch = folder / "scratch"
    scratch.mkdir()
    made = folder / "b.tar"
    made.write_bytes(packed(one, sign(one.tagmanifest, ssh_keygen=need("ssh-keygen"), folder=scratch)))
    return made


def unpacked(one: Bag, folder: Path) -> Path:
    run(need("tar"), "-xf", signed(one, folder), folder=folder)
    return folder / one.folder


def test_the_commands_on_the_page_check_and_read_a_bundle(tmp_path: Path) -> None:
    for program in ("tar", "sha256sum", "zstd", "ssh-keygen", "age"):
        need(program)
    one = bag(blobs=[b"one", b"two"])
    signed(one, tmp_path)
    desk = tmp_path / "desk"
    desk.mkdir()
    run(need("age-keygen"), "-o", desk / "identity", folder=tmp_path)
    recipient = run(need("age-keygen"), "-y", desk / "identity", folder=tmp_path).decode().strip()
    run("age", "-r", recipient, "-o", desk / "b.tar.age", tmp_path / "b.tar", folder=tmp_path)
    (desk / "allowed_signers").write_bytes((GOLDEN / "allowed_signers").read_bytes())
    script = "set -euo pipefail\n" + "".join(blocks("sh"))
    said = run(need("bash"), "-c", script, folder=desk)
    for right in (b'Good "filesync-bundle-v1@filesync" signature for acme', b"bundle.json: OK", one.bundle_id.encode()):
        assert right in said
    assert said.endswith(b"".join(map(encode_change, CHANGES)))


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "data" / "extra").write_text("x"),
        lambda folder: (folder / "data" / "changes.ndjson.zst").write_text("x"),
        lambda folder: (folder / "bundle.json").write_text("{}"),
        lambda folder: (folder / "tagmanifest-sha256.txt").write_text("x"),
    ],
)
def test_the_commands_on_the_page_notice_what_was_changed(tmp_path: Path, harm: object) -> None:
    for program in ("sha256sum", "zstd", "ssh-keygen"):
        need(program)
    folder = unpacked(bag(), tmp_path)
    (tmp_path / "allowed_signers").write_bytes((GOLDEN / "allowed_signers").read_bytes())
    script = "set -euo pipefail\n" + "".join(blocks("sh")).partition("cd fs1_*\n")[2]
    run(need("bash"), "-c", script, folder=folder)
    assert callable(harm)
    harm(folder)
    with pytest.raises(subprocess.CalledProcessError):
        run(need("bash"), "-c", script, folder=folder)


@pytest.mark.parametrize("one", [bag(), bag((), [b"", b"x" * 70_000]), report_bag()], ids=["changes", "blobs", "report"])
def test_a_bag_validator_accepts_the_folder(tmp_path: Path, one: Bag) -> None:
    folder = unpacked(one, tmp_path)
    found = bagit.Bag(str(folder))
    assert found.validate()
    assert found.info["External-Identifier"] == one.folder
    assert found.info["Filesync-From"] == "acme (11111111-1111-4111-8111-111111111111)"


def test_plain_tar_makes_the_same_bytes(tmp_path: Path) -> None:
    one = bag(blobs=[b"one", b"two"])
    folder = unpacked(one, tmp_path)
    names = run(need("tar"), "-tf", "b.tar", folder=tmp_path).decode().split()
    options = [
        "--format=ustar",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=0644",
        "--mtime=@0",
        "--blocking-factor=1",
    ]
    made = run(need("tar"), *options, "-cf", "-", *names, folder=folder.parent)
    assert made == (tmp_path / "b.tar").read_bytes()


def test_zstd_tests_the_frame_and_sees_its_checksum(tmp_path: Path) -> None:
    folder = unpacked(bag(), tmp_path)
    run(need("zstd"), "-q", "-t", "data/changes.ndjson.zst", folder=folder)
    assert b"XXH64" in run(need("zstd"), "-lv", "data/changes.ndjson.zst", folder=folder)


def test_the_page_shows_lines_that_are_really_written() -> None:
    (shown,) = blocks("ndjson")
    left = Scoped(n=5, gid=CHANGES[0].gid, now=Scope.LEFT)
    assert shown.encode() == b"".join(encode_change(one) for one in (CHANGES[0], *CHANGES[2:4], left))


def test_the_page_names_every_field_code_and_default() -> None:
    for kind in (Header, Report, FileEntry, Create, Set, Delete, Blob, Chunk, InChunks):
        for field in msgspec.structs.fields(kind):
            assert f"`{field.encode_name}`" in PAGE, f"{kind.__name__}.{field.encode_name} is not on the page"
    for code in Code:
        assert f"`{code}`" in PAGE
    limits = bounds.Limits()
    for text in (
        f"at most {limits.header // bounds.MIB} MiB",
        f"at most {limits.line // bounds.MIB} MiB",
        f"{limits.bundle // bounds.MIB} MiB a file",
        f"{limits.files} data files",
        f"{limits.content // bounds.GIB} GiB of content",
        f"{limits.changes} changes",
        f"at most {limits.depth} deep",
    ):
        assert text in PAGE, text
