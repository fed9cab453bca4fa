"""A large attachment needs no filesync to be checked and put together: the usual programs do, as docs/format.md says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.attachments import bytes_of, chunk_files, small_limits
from tests.support.programs import need
from tests.support.two_sites import two_sites

FILM = bytes_of(10_000, "film")


def run(*command: str | Path, folder: Path, text: bytes = b"") -> bytes:
    return subprocess.run(command, cwd=folder, input=text, capture_output=True, check=True).stdout


def opened(file: Path, *, identity: Path, signers: Path, desk: Path) -> Path:
    """One file of acme's, decrypted, unpacked and checked by hand."""
    place = desk / file.name.partition(".")[0]
    place.mkdir(parents=True)
    run(need("age"), "-d", "-i", identity, "-o", "b.tar", file, folder=place)
    run(need("tar"), "-xf", "b.tar", folder=place)
    (bag,) = place.glob("fs1_*")
    purpose = ("-n", "filesync-bundle-v1@filesync", "-s", "tagmanifest-sha256.txt.sig")
    signed = (bag / "tagmanifest-sha256.txt").read_bytes()
    run(need("ssh-keygen"), "-Y", "verify", "-f", signers, "-I", "acme", *purpose, folder=bag, text=signed)
    run(need("sha256sum"), "--strict", "-c", "tagmanifest-sha256.txt", "manifest-sha256.txt", folder=bag)
    return bag


def test_a_large_attachment_is_checked_and_put_together_by_hand(tmp_path: Path) -> None:
    for program in ("age", "tar", "ssh-keygen", "sha256sum", "zstd"):
        need(program)
    with two_sites(encrypt=True) as world:
        small_limits(world)
        world.acme.desk.create("Bug", "Pump runs hot")
        world.acme.desk.attach("ABC-1", "pump.mov", [FILM])
        world.acme.export()
        outbox, keys = world.acme.config.folders.outbox, world.globex.config.keys
        bags = {file: opened(file, identity=keys.age, signers=keys.allowed_signers, desk=tmp_path) for file in outbox.iterdir()}
        chunks = chunk_files(outbox)
    numbered = sorted(file for file in bags if file not in chunks)
    lines = b"".join(run(need("zstd"), "-dc", "data/changes.ndjson.zst", folder=bags[file]) for file in numbered)
    (blob,) = [change["blob"] for change in map(json.loads, lines.splitlines()) if "blob" in change]
    by_id = {
        run(need("sha256sum"), "tagmanifest-sha256.txt", folder=bags[file])[:64].decode(): bags[file] / "data" / "chunk"
        for file in chunks
    }
    assert by_id.keys() == {chunk["id"] for chunk in blob["chunks"]}
    assert all(f"_b{ident[:16]}." in file.name for ident, file in zip(by_id, chunks, strict=True))
    whole = run("cat", *(by_id[chunk["id"]] for chunk in blob["chunks"]), folder=tmp_path)
    assert whole == FILM
    assert run(need("sha256sum"), folder=tmp_path, text=whole)[:64].decode() == blob["sha256"]
