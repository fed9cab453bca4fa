"""`filesync prune`: what has done its work is removed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import click

from filesync.agent.asked.reading import reading
from filesync.agent.upkeep.prune import Place, Spent, prune_ended
from filesync.agent.upkeep.prune import prune as prune_once
from filesync.cli.app import App, Say, json_option
from filesync.cli.exchanges import Results, each_exchange
from filesync.errors import ExitCode, size_text
from filesync.ledger import streams
from filesync.ledger.endings import endings

_WORDS = {
    Place.OUTBOX: "acknowledged files in the outbox",
    Place.ARCHIVE: "acknowledged bundles in the archive",
    Place.STORE: "applied bundles in the store",
    Place.ARRIVED: "copies in store/arrived",
    Place.ENDED: "bundles of exchanges that were ended",
}


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
@click.pass_obj
def prune(app: App, dry_run: bool) -> ExitCode:
    """Remove bundles that have done their work. Every export does so too.

    Removed is only what the partner acknowledged as applied, or what is applied here, and never the newest
    `keep_bundles` nor what is younger than `keep_for`. Quarantine and the ledger are left alone. Ends with 3 where there
    is nothing to remove.
    """
    with reading(app.config()) as conn:
        last = not streams.exchanges(conn) and bool(endings(conn))
    results = _after_the_last(app, dry_run) if last else each_exchange(app, partial(prune_once, dry_run=dry_run))
    for name, removed in results.done.items():
        for line in _lines(removed):
            app.tell(f"{name}: {line}{' would be removed' if dry_run else ' removed'}")
    if not any(results.done.values()) and not results.failed:
        app.tell("nothing to remove", level=Say.MORE)
    if app.as_json:
        app.tell_json(
            {
                name: [{"place": one.place, "file": one.path, "size": one.size} for one in all_]
                for name, all_ in results.done.items()
            }
        )
    return results.status(ExitCode.DONE if removed else ExitCode.NOTHING for removed in results.done.values())


def _after_the_last(app: App, dry_run: bool) -> Results[list[Spent]]:
    """No exchange is left that could clear up after those that were ended."""
    results = Results[list[Spent]]()
    with app.site() as site:
        results.done["ended"] = prune_ended(site, dry_run=dry_run)
    return results


def _lines(removed: list[Spent]) -> Iterator[str]:
    for place, words in _WORDS.items():
        there = [one for one in removed if one.place is place]
        if there:
            yield f"{len(there)} {words}, {size_text(sum(one.size for one in there))},"
