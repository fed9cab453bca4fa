"""`filesync keys`: ours, and those that we believe."""

from __future__ import annotations

import click
import msgspec

from filesync.agent.keyring import keyring
from filesync.agent.look import reading
from filesync.bundle.verdict import shown
from filesync.cli.app import App, Verbs, json_option
from filesync.errors import ExitCode


@click.group(cls=Verbs)
def keys() -> None:
    """List the keys of this site and of its partners."""


@keys.command("list")
@json_option
@click.pass_obj
def list_(app: App) -> ExitCode:
    """List our keys, and those that partners sign and open with, from the first bundle of each stream on.

    Compare the fingerprints with the partner over the phone. Ends with 6 where a partner's key is not among the allowed
    signers: then nothing of that partner is taken.
    """
    config = app.config()
    with reading(config) as conn:
        found = keyring(conn, config)
    for one in found:
        where = f"exchange {one.exchange}, since its first bundle" if one.exchange else "this site"
        app.tell(f"{shown(one.site)} ({where})")
        app.tell(f"    signs with  {one.fingerprint}{'' if one.believed else '  NOT among the allowed signers'}")
        app.tell(f"    opens with  {shown(one.recipient) or 'a key that is not known: what goes there is not encrypted'}")
    if app.as_json:
        app.tell_json([msgspec.to_builtins(one) for one in found])
    return ExitCode.DONE if all(one.believed for one in found) else ExitCode.CONFIG
