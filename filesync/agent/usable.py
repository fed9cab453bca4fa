"""Whether the contract and mapping of an exchange can be used, for those who only look.

To read them takes longer than all else that `status` does. So the exports and imports that could use them leave a stamp
of both files in the ledger, and they are read again only where they are not the ones of that stamp.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from filesync import __version__
from filesync.config import Config
from filesync.errors import ConfigError, disk_problem
from filesync.ledger import streams
from filesync.ledger.streams import Direction, Exchange, State


def could_be_used(conn: sa.Connection, config: Config, x: Exchange) -> None:
    """Leave the stamp, where it is another than the one that is there. Raises DiskProblem."""
    stamp = _stamp(config, x)
    if streams.site_fact(conn, _fact(x)) != stamp:
        streams.set_site_fact(conn, _fact(x), stamp)


def unusable(conn: sa.Connection, config: Config, x: Exchange) -> ConfigError | None:
    """Why no export or import can go by these files; None where they can be used, or nobody asks yet. Raises DiskProblem."""
    if x.state is not State.PAIRED:
        return None
    try:
        if streams.site_fact(conn, _fact(x)) != _stamp(config, x):
            _read(config, x)
    except ConfigError as error:
        return error
    return None


def _read(config: Config, x: Exchange) -> None:
    from filesync.rules.contract import Site  # noqa: PLC0415, start-up time: seldom are the files other ones
    from filesync.rules.load import load_between  # noqa: PLC0415, start-up time

    which = config.rules_of(x.name)
    us, them = Site(config.site, config.name), Site(x.partner_site, x.partner_name)
    load_between(which.contract, which.mapping, us=us, them=them, one_way=x.direction is not Direction.BOTH)


def _fact(x: Exchange) -> str:
    return f"rules {x.id}"


def _stamp(config: Config, x: Exchange) -> str:
    """Of all that decides whether they can be used; a file that is not there is told by whoever reads it."""
    which = config.rules_of(x.name)
    parts = [__version__, config.name, config.site, x.partner_name, x.partner_site, x.direction.value]
    for path in (which.contract, which.mapping):
        try:
            parts.append("" if path is None else hashlib.sha256(path.read_bytes()).hexdigest())
        except FileNotFoundError:
            parts.append("not there")
        except OSError as error:
            raise disk_problem(error, path, doing="read") from error
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
