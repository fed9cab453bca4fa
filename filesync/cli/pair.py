"""`filesync pair`: the two files that bind two sites."""

from __future__ import annotations

from pathlib import Path

import click

from filesync.agent.partners import pairing
from filesync.cli.app import App, Verbs, json_option
from filesync.errors import disk_problem
from filesync.keys.pairing import MAX_PAIRING, decode, encode
from filesync.ledger.streams import Direction

_EXCHANGE = click.option(
    "--exchange", default="main", show_default=True, metavar="NAME", help="Our name for the exchange with this partner."
)


@click.group(cls=Verbs)
def pair() -> None:
    """Agree with a partner on an exchange.

    Each side exports a pairing file, gives it to the other, and accepts the other's. Both then see the same six words: read
    them to each other over the phone. Words that differ mean that a file was changed on the way.
    """


@pair.command()
@_EXCHANGE
@click.pass_obj
def export(app: App, exchange: str) -> None:
    """Print our pairing file; it holds no secret."""
    with app.site() as site:
        click.echo(encode(pairing.offer(site, exchange)), nl=False)


@pair.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@_EXCHANGE
@click.option("--no-encrypt", is_flag=True, help="Sign what we send, but do not encrypt it.")
@click.option(
    "--direction",
    type=click.Choice([direction.value for direction in Direction]),
    default=Direction.BOTH.value,
    show_default=True,
    help="Which way changes go, seen from here.",
)
@click.option("--outbox", metavar="DIR", type=click.Path(path_type=Path), help="A folder of this exchange alone.")
@click.option("--inbox", metavar="DIR", type=click.Path(path_type=Path), help="A folder of this exchange alone.")
@click.option("--replace-key", is_flag=True, help="Their key, recipient or name is another than the one paired, and right.")
@json_option
@click.pass_obj
def accept(
    app: App,
    file: Path,
    *,
    exchange: str,
    no_encrypt: bool,
    direction: str,
    outbox: Path | None,
    inbox: Path | None,
    replace_key: bool,
) -> None:
    """Bind the partner whose pairing file this is, and print the six words.

    A wrong file can be followed by the right one as long as nothing of the partner's was taken in: then its key gives way.
    """
    try:
        with file.open("rb") as open_file:
            theirs = decode(open_file.read(MAX_PAIRING + 1))
    except OSError as error:
        raise disk_problem(error, file, doing="read") from error
    with app.site() as site:
        bound = pairing.accept(
            site,
            theirs,
            exchange=exchange,
            encrypt=not no_encrypt,
            direction=Direction(direction),
            outbox=outbox,
            inbox=inbox,
            replace_key=replace_key,
        )
    app.tell(f"Paired with {theirs.name}. Both sides must see these six words:\n\n    {bound.words}\n")
    if bound.key_out:
        app.tell("The key that was accepted before was taken out: nothing signed with it is believed any more.")
    if app.as_json:
        told = {"exchange": exchange, "partner": theirs.name, "site": theirs.site, "words": bound.words}
        app.tell_json(told | {"replaced": bound.instead})
