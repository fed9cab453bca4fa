"""`filesync verify`: whether a file is what the partner, or we, made."""

from __future__ import annotations

from pathlib import Path

import click

from filesync.agent.asked.inspect import Inspected, inspected
from filesync.agent.progress import Doing
from filesync.bundle.verdict import shown
from filesync.cli.app import App, json_option
from filesync.errors import DiskProblem, ExitCode, Problem, size_text
from filesync.exchange.files import forget_cached


@click.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def verify(app: App, files: tuple[Path, ...]) -> ExitCode:
    """Check bundle files, and say all that is wrong with each.

    Every byte, the signature and every line of changes is checked against the site's allowed signers. Nothing is
    applied, and the files are left as they are. They are read from their medium, not from what the system remembers of
    them: check a stick before it leaves.
    """
    config = app.config()
    answers, bad = [], 0
    progress = app.progress()
    for number, file in enumerate(files):
        progress(Doing.CHECKING, number, len(files))
        try:
            forget_cached(file)
            with inspected(file, config) as found:
                pass
        except DiskProblem as error:
            found = Inspected(path=file, code="UNREADABLE", problems=(Problem("", str(error)),), hint=error.hint)
        bad += not found.good
        answers.append(_document(found))
        _tell(app, found)
    app.tell(f"{len(files) - bad} good, {bad} bad")
    if app.as_json:
        app.tell_json({"files": answers, "good": len(files) - bad, "bad": bad})
    return ExitCode.PARTNER if bad else ExitCode.DONE


def _tell(app: App, found: Inspected) -> None:
    if found.good and found.head is not None and found.key is not None:
        header = found.head.header
        where = f"{header.kind} {header.seq} of {header.from_.name} for {header.to.name}, generation {header.generation.n}"
        locked = "encrypted" if found.encrypted else "not encrypted"
        size = size_text(found.head.size)
        app.tell(f"{found.path}: good. {where}, {size}, signed by {found.signer} ({found.key.fingerprint()}), {locked}")
        return
    app.tell(f"{found.path}: {found.code}")
    for problem in found.problems:
        app.tell(f"  {shown(str(problem), limit=300)}")
    app.tell(f"  hint: {found.hint}")


def _document(found: Inspected) -> dict[str, object]:
    header = found.head.header if found.head is not None else None
    return {
        "file": str(found.path),
        "good": found.good,
        "code": found.code,
        "problems": found.problems,
        "hint": found.hint,
        "encrypted": found.encrypted,
        "bundle_id": found.head.bundle_id if found.head is not None else None,
        "signer": found.signer,
        "key": found.key.fingerprint() if found.key is not None else None,
        "from": header.from_.name if header is not None else None,
        "to": header.to.name if header is not None else None,
        "generation": header.generation.n if header is not None else None,
        "seq": header.seq if header is not None else None,
    }
