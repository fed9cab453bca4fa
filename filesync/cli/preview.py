"""`filesync preview`: what an export or import would do, and why not more."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
import msgspec

from filesync.agent.asked.reading import reading
from filesync.agent.events import Severity
from filesync.agent.incoming.arrivals import Arriving, KeyNotKnown, NewerFormat, NotTaken, Outside
from filesync.agent.rehearsal.rehearse import Preview, rehearse_export, rehearse_import
from filesync.agent.rehearsal.written import Deed, Edit, Entry
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Verbs, json_option, now, time_text
from filesync.cli.exchanges import event_documents, exchange_option, named, worst
from filesync.config import Config
from filesync.errors import ExitCode, FilesyncError
from filesync.exchange.files import write_whole
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State
from filesync.model.links import link_name, link_parts
from filesync.model.values import Value, flat_name, split_name

_VALUE: Final = 500  # characters of a value
_SENTENCE: Final = 1_000
_LEFT: Final = (Arriving, KeyNotKnown, NewerFormat, NotTaken, Outside)  # as of an import
_DEEDS: Final[Mapping[Deed, str]] = {
    Deed.CREATE: "created",
    Deed.CHANGE: "changed",
    Deed.DELETE: "deleted",
    Deed.MARK: "marked as deleted",
    Deed.OUTSIDE: "shown as outside the scope",
    Deed.INSIDE: "shown as inside it again",
}
Rehearsal: TypeAlias = Callable[[Config, str], AbstractContextManager[Preview]]
_html_option = click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as one page to show to others.",
)


@click.group(cls=Verbs)
def preview() -> None:
    """Show what an export or import would do, and do nothing.

    Both work on a copy of the ledger, and only read the tracker and the inbox. Values are shown. Ends with 3 where nothing
    would be done, and with 4 where something would be refused, dropped or wait.
    """


@preview.command("export")
@exchange_option
@_html_option
@json_option
@click.pass_obj
def export(app: App, exchange: str | None, page: Path | None) -> ExitCode:
    """Show what the next export would send, and what would stay here.

    What stands at the partner's now is not known here, so only new values are shown.
    """
    return _show(app, "export", partial(rehearse_export, clock=now), only=exchange, page=page, without=Direction.RECEIVE)


@preview.command("import")
@exchange_option
@_html_option
@json_option
@click.pass_obj
def import_(app: App, exchange: str | None, page: Path | None) -> ExitCode:
    """Show what the next import would do to the tracker, and what would be refused, dropped or wait.

    Types, statuses, options and users that the tracker does not have are known; what else it would refuse, cut or set to
    another value shows only when it is asked in earnest.
    """
    return _show(app, "import", partial(rehearse_import, clock=now), only=exchange, page=page, without=Direction.SEND)


class _Run:
    """One call: each exchange in turn, and what that ends with."""

    def __init__(self, app: App, rehearsal: Rehearsal, found: list[Exchange]) -> None:
        self._app, self._rehearsal, self._found = app, rehearsal, found
        self._config = app.config()
        self.codes: list[ExitCode] = []

    def exchanges(self) -> Iterator[tuple[Exchange, Preview]]:
        """Those that could be rehearsed; the others are told."""
        for one in self._found:
            try:
                with self._rehearsal(self._config, one.name) as done:
                    self.codes.append(_code(done))
                    yield one, done
            except FilesyncError as error:
                self.codes.append(error.exit_code)
                self._app.tell_error(error)


def _code(done: Preview) -> ExitCode:
    if any(event.severity is not Severity.INFO or isinstance(event, _LEFT) for event in done.events):
        return ExitCode.WORK_LEFT
    return ExitCode.DONE if done.written.counts else ExitCode.NOTHING


def _show(app: App, what: str, rehearsal: Rehearsal, *, only: str | None, page: Path | None, without: Direction) -> ExitCode:
    with reading(app.config()) as conn:
        there = streams.exchanges(conn)
    found = [one for one in there if one.state is not State.OFFERED and one.direction is not without]
    run = _Run(app, rehearsal, found if only is None else [named(there, only)])
    if page is not None:
        was = page.exists()
        write_whole(page, _page(app.config().name, what, run))
        app.tell(f"written to {page}{', which was there and is replaced' if was else ''}")
    elif app.as_json:
        app.tell_json({one.name: _document(done) for one, done in run.exchanges()})
    else:
        for one, done in run.exchanges():
            for line in _lines(one, done):
                app.tell(line)
    if not found and only is None:
        app.tell("paired with nobody yet")
    return worst(run.codes)


# ── for people ──────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(x: Exchange, done: Preview) -> Iterator[str]:
    yield f"{x.name}: with {shown(x.partner_name)}"
    for entry in done.written:
        yield f"  {_title(entry)}"
        yield from (f"    {_name(edit)}: {_change(entry, edit)}" for edit in entry.edits)
    for event in done.events:
        yield f"  {event.severity.value}: {shown(event.sentence(), limit=_SENTENCE)}"
    yield f"  {_sum(done)}"


def _title(entry: Entry) -> str:
    what = {"issue": "", "version": "version "}.get(entry.kind, f"{entry.kind} of ")
    return f"{entry.deed} {what}{shown(entry.key, limit=200)}"


def _name(edit: Edit) -> str:
    link = link_parts(edit.field)
    if link is not None:
        return shown(link_name(link[0], edit.keys.get(link[1], link[1])), limit=200)
    name, element = split_name(edit.field)
    return shown(edit.field if element is None else flat_name(name, _called(edit, element)), limit=200)


def _change(entry: Entry, edit: Edit) -> str:
    new = "(empty)" if edit.new is None else _text(edit, edit.new)
    return (
        f"{_text(edit, edit.old)} -> {new}" if edit.old is not None else new if entry.deed is not Deed.CHANGE else f"-> {new}"
    )


def _called(edit: Edit, user: str) -> str:
    """A user by the name that people know, where the tracker has another."""
    return f"{edit.people[user]} ({user})" if user in edit.people else user


def _text(edit: Edit, value: Value) -> str:
    said = (
        edit.keys.get(value) or _called(edit, value)
        if isinstance(value, str)
        else "yes"
        if value is True
        else "/".join(value)
        if isinstance(value, list)
        else ""
    )
    return shown(said, limit=_VALUE)


def _sum(done: Preview) -> str:
    parts = [f"{done.written.counts[deed]} {word}" for deed, word in _DEEDS.items() if done.written.counts[deed]]
    return ", ".join(parts) or "nothing would be done"


# ── for programs, and to show to others ─────────────────────────────────────────────────────────────────────────


def _document(done: Preview) -> dict[str, Any]:
    return {
        "would": {deed.value: done.written.counts[deed] for deed in Deed if done.written.counts[deed]},
        "items": [msgspec.to_builtins(entry) for entry in done.written],
        "events": event_documents(done.events),
    }


_STYLE: Final = (
    "body{font:15px/1.4 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}"
    "td{border-top:1px solid #ccc;padding:.2em .5em;vertical-align:top;overflow-wrap:anywhere}h2{margin-top:2em}"
    "tr.item td{background:#eee;font-weight:bold}del{color:#a00}ins{color:#060;text-decoration:none}"
)


def _page(site: str, what: str, run: _Run) -> Iterator[bytes]:
    """One page that needs nothing else, and in which every text is escaped."""
    title = html.escape(f"What {'an' if what[0] in 'ei' else 'a'} {what} at {site} would do")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><p>As of {time_text(now())}. Nothing of it was done.</p>"
    ).encode()
    for x, done in run.exchanges():
        yield f"<h2>{html.escape(x.name)}: with {html.escape(shown(x.partner_name))}</h2><p>{_sum(done)}</p><table>".encode()
        for entry in done.written:
            yield f'<tr class="item"><td colspan="2">{html.escape(_title(entry))}</td></tr>'.encode()
            yield from (_row(edit) for edit in entry.edits)
        yield b"</table><ul>"
        for event in done.events:
            said = html.escape(shown(event.sentence(), limit=_SENTENCE))
            yield f"<li>{html.escape(event.severity.value)}: {said}</li>".encode()
        yield b"</ul>"
    yield b"</body></html>\n"


def _row(edit: Edit) -> bytes:
    old = f"<del>{html.escape(_text(edit, edit.old))}</del> " if edit.old is not None else ""
    new = "(empty)" if edit.new is None else _text(edit, edit.new)
    return f"<tr><td>{html.escape(_name(edit))}</td><td>{old}<ins>{html.escape(new)}</ins></td></tr>".encode()
