"""`filesync keys`: ours, those that we believe, and how both change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from filesync.agent.asked.reading import reading
from filesync.agent.outgoing.rotation import Rotated, rotate_age, rotate_signing
from filesync.agent.partners.keyring import Keys, keyring
from filesync.agent.partners.revocation import revoke as revoke_key
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Verbs, json_option
from filesync.cli.exchanges import named
from filesync.errors import ExitCode
from filesync.ledger import streams
from filesync.model.ids import MAX_SEQ


@click.group(cls=Verbs)
def keys() -> None:
    """List, change and revoke keys."""


@keys.command("list")
@json_option
@click.pass_obj
def list_(app: App) -> ExitCode:
    """List our keys, and those that partners sign and open with, each with the bundles that it signs.

    Compare the fingerprints with the partner over the phone. Ends with 6 where a partner's key is revoked, or not among the
    allowed signers: then nothing of that partner is taken.
    """
    config = app.config()
    with reading(config) as conn:
        found = keyring(conn, config)
    for one in found:
        app.tell(f"{shown(one.site)} ({f'exchange {one.exchange}, {_span(one)}' if one.exchange else 'this site'})")
        app.tell(f"    signs with  {one.fingerprint}{'' if one.believed else '  NOT among the allowed signers'}{_revoked(one)}")
        if not one.until:
            app.tell(f"    opens with  {_opens(one)}")
    if app.as_json:
        app.tell_json([msgspec.to_builtins(one) for one in found])
    now = [one for one in found if not one.until]
    return ExitCode.DONE if all(one.believed and not one.revoked for one in now) else ExitCode.CONFIG


def _span(one: Keys) -> str:
    since = f"since bundle {one.since}" if one.since else "since its first bundle"
    return f"{since}, until {one.until}" if one.until else since


def _opens(one: Keys) -> str:
    if one.waits:
        return "a key that is not known: it came with what was revoked, and exports wait for the new pairing file"
    return shown(one.recipient) or "a key that is not known: what goes there is not encrypted"


def _revoked(one: Keys) -> str:
    return f"  REVOKED from bundle {one.revoked} on" if one.revoked else ""


@keys.command()
@click.option("--age", "turn_age", is_flag=True, help="Change the key that opens what partners encrypt instead.")
@click.option(
    "--public",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The public half of the new key, where a command signs: it was made there.",
)
@click.option("--stolen", is_flag=True, help="The key may be in other hands: no bundle says so, partners are told by hand.")
@json_option
@click.pass_obj
def rotate(app: App, turn_age: bool, public: Path | None, stolen: bool) -> ExitCode:
    """Make a new key, and tell every partner so in a bundle that the key before signs.

    The new one signs from the next bundle on. Nothing else changes for partners: their filesync learns it with that bundle,
    and what the key before signed stays good. What was encrypted for an age key before is opened with that as ever. Ends
    with 4 where a bundle goes out with a later export, or a partner must be told by hand.
    """
    if turn_age and stolen:
        raise click.UsageError("--stolen is about the key that signs; an age key that may be in other hands: --age alone")
    if turn_age and public is not None:
        raise click.UsageError("--public is about the key that signs; an age key is made here: --age alone")
    with app.site() as site:
        done = rotate_age(site) if turn_age else rotate_signing(site, public=public, stolen=stolen)
    for line in _lines(app, done, stolen=stolen):
        app.tell(line)
    if app.as_json:
        app.tell_json(msgspec.to_builtins(done))
    return ExitCode.WORK_LEFT if done.later or done.by_hand else ExitCode.DONE


def _lines(app: App, done: Rotated, *, stolen: bool) -> Iterator[str]:
    yield f"new key: {done.fingerprint or done.recipient}"
    for name, why in done.later.items():
        yield f"{name}: the bundle goes out with a later export ({shown(why, limit=200)})"
    us = app.config().name
    for name in done.by_hand:
        if stolen:
            since = done.since[name]
            yield f"{name}: call them. They run: filesync keys revoke {us} --from-seq {since}"
        file = f"filesync pair export --exchange {name}"
        yield f"{name}: give them a new pairing file ({file}); they accept it with --replace-key"


@keys.command()
@click.argument("partner", metavar="PARTNER")
@click.option("--from-seq", required=True, type=click.IntRange(1, MAX_SEQ), metavar="NUMBER", help="The partner says which.")
@json_option
@click.pass_obj
def revoke(app: App, partner: str, from_seq: int) -> None:
    """Take nothing more that a partner's key signed from a bundle on.

    PARTNER is its name or that of the exchange, NUMBER the first bundle that is not to be believed. Bundles from there on
    that are held are listed and refused. Nothing is taken from there on until the partner's new key is accepted: filesync
    pair accept --replace-key FILE.
    """
    with app.site() as site:
        with site.ledger.begin() as conn:
            x = named(streams.exchanges(conn), partner)
        done = revoke_key(site, x, from_seq)
    if app.as_json:
        app.tell_json({"exchange": x.name, "partner": x.partner_name, **msgspec.to_builtins(done)})
