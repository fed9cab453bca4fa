"""`filesync show`: what a bundle says, for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from filesync.agent.asked.inspect import Inspected, inspected
from filesync.agent.events import count_text
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option
from filesync.config import Config
from filesync.errors import PartnerError, size_text
from filesync.keys.sshsig import PublicKey
from filesync.model.change import Blob, Change, Create, Delete, Scoped, texts_of
from filesync.model.values import Value
from filesync.rules.prose import readable

_VALUE = 200  # characters of a value that are shown


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--changes", is_flag=True, help="Show every change in it, too.")
@json_option
@click.pass_obj
def show(app: App, files: tuple[Path, ...], changes: bool) -> None:
    """Show what a bundle file holds.

    The file is checked first as `filesync verify` does, and only a good one is shown. Our own outgoing bundles can be
    shown as well. What it says of people and keys is the sender's claim. With --json every file is a document of its own.
    """
    config = app.config()
    for number, file in enumerate(files):
        if number:
            app.tell("")
        _show(app, file, config, changes=changes)


def _show(app: App, file: Path, config: Config, *, changes: bool) -> None:
    with inspected(file, config) as found:
        if not found.good:
            raise PartnerError(
                f"{file}: {found.code}: {'; '.join(shown(str(problem)) for problem in found.problems[:3])}",
                hint=f"all that is wrong with it: filesync verify {shlex.quote(str(file))}",
            )
        if app.as_json:
            app.tell_json(_document(found, changes=changes))
            return
        for line in _head(found):
            app.tell(line)
        if (keys := found.introduction()) is not None and changes:
            app.tell(f"{keys.n:>6}  key {PublicKey.parse(keys.key).fingerprint()} signs from the next bundle on")
            if keys.recipient is not None:
                app.tell(f"        recipient {shown(keys.recipient)} opens what is sent to {shown(_sender(found))} from now on")
        if (said := found.agreement()) is not None and changes:
            words = f": {shown(said.message, limit=_VALUE)}" if said.message else ""
            app.tell(f"{said.n:>6}  contract {said.version} ({said.digest[:8]}) is {said.says}{words}")
            for line in said.text.splitlines():
                app.tell(f"          {shown(line, limit=_VALUE)}")
        for change in found.changes() if changes else ():
            for line in _change(change, claimed_by=shown(_sender(found))):
                app.tell(line)


def _head(found: Inspected) -> Iterator[str]:
    assert found.head is not None
    assert found.key is not None
    header, them = found.head.header, shown(found.head.header.to.name)
    what = f"{header.seq} of" if header.kind.sequenced else "without a number, of"
    yield f"bundle      {what} generation {header.generation.n}, kind {header.kind}"
    yield f"id          {found.head.bundle_id}"
    yield f"after       {header.prev}"
    yield f"from        {shown(header.from_.name)} ({header.from_.site})"
    yield f"to          {them} ({header.to.site})"
    yield f"signed by   {found.signer} ({found.key.fingerprint()})"
    yield f"encrypted   {'yes' if found.encrypted else 'no'}"
    yield f"made        {shown(header.created_at)} by {shown(header.agent)}"
    yield f"contract    {shown(header.contract)}"
    yield f"seen        {header.seen} of {them}"
    yield f"holds       {', '.join(f'{count} {shown(name)}' for name, count in header.counts.items()) or 'no changes'}"
    for entry in header.files:
        yield f"file        {entry.path}, {size_text(entry.size)}"
    for one in header.blobs:
        yield f"refers to   {size_text(one.size)} in {count_text(one.chunks, 'chunk')}, {one.sha256[:16]}…"
    if (report := header.report) is not None:
        held = f", holding {len(report.held)}" if report.held else ""
        yield f"report      has bundles of {them} up to {report.received_to}, applied up to {report.applied_to}{held}"


def _sender(found: Inspected) -> str:
    assert found.head is not None
    return found.head.header.from_.name


def _change(change: Change, *, claimed_by: str) -> Iterator[str]:
    about = ", ".join(shown(word) for word in (change.about.key, change.about.author, change.about.at) if word)
    told = f" (claimed by {claimed_by}: {about})" if about else ""
    if isinstance(change, Delete):
        yield f"{change.n:>6}  delete {change.gid}{told}"
        return
    if isinstance(change, Scoped):
        yield f"{change.n:>6}  scope {change.gid}: {change.now}{told}"
        return
    if isinstance(change, Create):
        below = f" below {change.parent}" if change.parent else ""
        yield f"{change.n:>6}  create {change.kind} {change.gid}{below}{told}"
        fields: dict[str, Value | None] = dict(change.fields)
    else:
        yield f"{change.n:>6}  set {change.gid}{told}"
        fields = {name: field.now for name, field in change.fields.items()}
    if isinstance(change, Create) and change.blob is not None:
        yield f"          bytes: {_beside(change.blob)}"
    for name, blob in texts_of(change).items():
        yield f"          {shown(name)}: a text of {_beside(blob)}"
    for name, value in fields.items():
        yield f"          {shown(name)}: {_value(value)}"


def _beside(blob: Blob) -> str:
    where = f"in {count_text(len(blob.chunks), 'chunk')}" if blob.chunks else f"data/blobs/{blob.sha256}"
    return f"{size_text(blob.size)}, {where}"


def _value(value: Value | None) -> str:
    match value:
        case None:
            return "(empty)"
        case bool():
            return "yes" if value else "no"
        case list():
            return shown(" / ".join(value), limit=_VALUE)
        case _:
            return shown(readable(value), limit=_VALUE)


def _document(found: Inspected, *, changes: bool) -> dict[str, object]:
    assert found.head is not None
    assert found.key is not None
    told: dict[str, object] = {
        "file": str(found.path),
        "bundle_id": found.head.bundle_id,
        "signer": found.signer,
        "key": found.key.fingerprint(),
        "encrypted": found.encrypted,
        "header": msgspec.Raw(found.head.header_bytes),
    }
    if changes:
        one = found.introduction() or found.agreement()
        told["changes"] = list(found.changes()) if one is None else [one]
    return told
