"""Two sites of which every value and every secret can be told from all else, and what their command line said meanwhile."""

from __future__ import annotations

import io
import json
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import yaml

from filesync.bundle.changes import compress, encode_change
from filesync.bundle.header import file_name
from filesync.bundle.write import NAMESPACE, changes_file, pack, tar
from filesync.cli.main import VERBS, cli, run
from filesync.errors import ExitCode
from filesync.model.values import FieldKind
from filesync.trackers.embedded import create_project, read_definition
from filesync.trackers.embedded.project import DEFAULT, Definition
from tests.support.attachments import chunk_files
from tests.support.forged import a_bug, header
from tests.support.two_sites import Clock, Side

BIRD = "Kanarie7"
NUMBER, DAY, MOMENT = "8675309", "2031-07-13", "2031-07-13T04:05:06+00:00"
CANARIES = (BIRD.lower(), NUMBER, DAY, "2031-07-13 04:05")  # how a value may be shown, in lower case
UNKNOWN = f"{BIRD} not known there"  # an option of acme's and the contract's, which globex's tracker lacks
OURS = f"{BIRD} ours alone"  # an option of acme's, which the contract lacks
PLAIN = {"types", "statuses", "links"}  # words of the contract that stay as they are: they are no field's free value


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the command line, as a person made it, and what it said."""

    verb: str
    words: tuple[str, ...]
    status: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"{' '.join(self.words)}  -> {self.status}"


def verbs() -> Iterator[str]:
    """Every verb with its words: "export", "keys rotate"."""
    ctx = click.Context(cli)
    for name in VERBS:
        command = cli.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from (f"{name} {one}" for one in command.list_commands(click.Context(command)) if one != "attachment")
            if "attachment" in command.list_commands(click.Context(command)):
                yield from (f"{name} attachment {one}" for one in ("get", "delete"))
        else:
            yield name


def canaried(document: Any) -> Any:
    """The same with the bird in every word."""
    if isinstance(document, dict):
        return {canaried(name): canaried(one) for name, one in document.items()}
    if isinstance(document, list):
        return [canaried(one) for one in document]
    return f"{document} {BIRD}"


def project(folder: Path, *, lacks: str = "", more: str = "", one_line: str = "") -> Definition:
    """The default project, in which every user, option, version and component has the bird."""
    document = yaml.safe_load(DEFAULT.read_text())
    for name in ("versions", "components"):
        document[name] = canaried(document[name])
    document["addresses"] = {f"{BIRD.lower()}.{name}": address for name, address in document["addresses"].items()}
    document["users"] = {f"{BIRD.lower()}.{name}": f"{shown} {BIRD}" for name, shown in document["users"].items()}
    for one in document["fields"].values():
        if "options" in one:
            one["options"] = canaried(one["options"])
    priority = document["fields"]["priority"]["options"]
    document["fields"]["priority"]["options"] = [
        *(one for one in [*priority, UNKNOWN] if one != lacks),
        *([more] if more else []),
    ]
    if one_line:
        document["fields"][one_line]["one_line"] = True
    path = folder / "project.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return read_definition(path)


def contract(text: str) -> str:
    """The contract with the same words."""
    document = yaml.safe_load(text)
    for one in document["fields"].values():
        if "options" in one:
            one["options"] = ["/".join(f"{part} {BIRD}" for part in text.split("/")) for text in one["options"]]
    document["fields"]["priority"]["options"].append(UNKNOWN)
    document["fields"]["description"]["winner"] = "ask"
    return yaml.safe_dump(document, allow_unicode=True)


def every_field(definition: Definition) -> list[str]:
    """A value for every field, as the command line takes them."""
    found: list[str] = []
    for name, one in definition.fields.items():
        if one.kind in {FieldKind.TYPE, FieldKind.STATUS, FieldKind.PARENT} or name in {"summary", "description"}:
            continue
        match one.kind:
            case FieldKind.NUMBER:
                value = NUMBER
            case FieldKind.DATE:
                value = DAY
            case FieldKind.DATETIME:
                value = MOMENT
            case FieldKind.TEXT | FieldKind.LABEL:
                value = f"{BIRD}-{name}"
            case _:
                value = (definition.allowed(name) or ("",))[0]
        found += ["--field", f"{name}={value}"]
    return found


@dataclass
class Scene:
    """acme and globex, paired, encrypted, with canaries in everything."""

    folder: Path
    calls: list[Call] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    public: str = ""

    def config(self, at: str) -> Path:
        return self.folder / at / "filesync.yaml"

    def call(self, at: str, *words: str | Path, status: int | None = None) -> Call:
        """Call it for a site. What it said is kept."""
        said = tuple(str(word) for word in words)
        self.collect_secrets()
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            ended = run(["-c", str(self.config(at)), *said])
        self.collect_secrets()
        known = set(verbs())
        plain = [word for word in said if not word.startswith("-")]
        verb = next(" ".join(plain[:n]) for n in (3, 2, 1) if " ".join(plain[:n]) in known)
        for stream in (out, err):
            stream.seek(0)
        one = Call(verb, said, ended, out.read(), err.read())
        assert status is None or ended == status, (one, one.out, one.err)
        self.calls.append(one)
        return one

    def collect_secrets(self) -> None:
        """What only the site itself may know: the lines of its private keys."""
        self.public += "".join(path.read_text() for path in self.folder.glob("*/keys/*.pub"))
        for path in self.folder.glob("*/keys/*"):
            if not path.name.endswith((".pub", "allowed_signers")) and path.is_file():
                lines = path.read_text().splitlines()
                self.secrets |= {line for line in lines if len(line) > 20 and not line.startswith(("-", "#"))}

    def json(self, at: str, *words: str | Path) -> Any:
        return json.loads(self.call(at, *words, "--json").out)

    def settings(self, at: str, **changed: str | int) -> None:
        """Limits of a site."""
        path = self.config(at)
        document = yaml.safe_load(path.read_text())
        document["limits"] |= changed
        path.write_text(yaml.safe_dump(document))

    def mails(self, port: int) -> None:
        """Both sites write to people by the server of this port; a partner is silent at once."""
        for at in ("acme", "globex"):
            path = self.config(at)
            document = yaml.safe_load(path.read_text())
            ways = {"server": "127.0.0.1", "port": port, "security": "none"}
            document["mail"] = ways | {"from": f"filesync@{at}.example", "to": [f"anna@{at}.example"], "silence": "1s"}
            path.write_text(yaml.safe_dump(document))

    def bring(self, source: str, target: str, *, chunks: bool = True) -> list[Path]:
        """Carry what is in an outbox, or leave the chunks there. Returns what came."""
        outbox = self.folder / source / "outbox"
        files = sorted(set(outbox.iterdir()) - (set() if chunks else set(chunk_files(outbox))))
        return [Path(shutil.move(one, self.folder / target / "inbox" / one.name)) for one in files]

    def put(self, at: str, name: str, content: bytes) -> None:
        (self.folder / at / "inbox" / name).write_bytes(content)

    def journal(self, at: str) -> list[tuple[str, str]]:
        """What the ledger keeps of events: the kind of each and all that it holds."""
        with closing(sqlite3.connect(self.folder / at / "state" / "ledger.db")) as ledger:
            return [(kind, bytes(detail).decode()) for kind, detail in ledger.execute("select kind, detail from event")]


def found_sites(folder: Path) -> Scene:
    """Both sites, made and paired."""
    scene = Scene(folder)
    for at in ("acme", "globex"):
        scene.call(at, "init", folder / at, "--name", at, status=ExitCode.DONE)
        tracker = folder / at / "state" / "tracker.db"
        tracker.unlink()
        mine = {"more": OURS} if at == "acme" else {"lacks": UNKNOWN, "one_line": "environment"}
        create_project(tracker, project(folder, **mine), key="ABC")
        rules = folder / at / "contract.yaml"
        rules.write_text(contract(rules.read_text()))
        scene.settings(at, inline_blob="1 KiB", chunk="4 KiB", settle="0s", workers=1)
    for at in ("acme", "globex"):
        (folder / f"{at}.json").write_text(scene.call(at, "pair", "export", status=ExitCode.DONE).out)
    scene.call("acme", "pair", "accept", folder / "globex.json", status=ExitCode.DONE)
    scene.call("globex", "pair", "accept", folder / "acme.json", status=ExitCode.DONE)
    return scene


def nonsense(scene: Scene, target: str) -> None:
    """A bundle that acme signed, in which a line is no change, comes to globex."""
    side = Side(scene.folder / "acme", Clock(), random.Random(0))
    try:
        line = encode_change(a_bug(side, BIRD)).replace(b'"n":1', f'"n":"{BIRD}"'.encode())
        bag = pack(header(side), [changes_file(compress([line]))])
        signature = side.site.signer().sign(bag.tagmanifest, namespace=NAMESPACE)
        scene.put(target, file_name(bag.header, bag.bundle_id, encrypted=False), b"".join(tar(bag, signature)))
    finally:
        side.close()
