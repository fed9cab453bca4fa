"""What the verbs of `filesync issue` share: the desk, and who sits at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from filesync.cli.app import App
from filesync.trackers.embedded import Desk

_Verb = TypeVar("_Verb", bound=Callable[..., Any])


def user_option(verb: _Verb) -> _Verb:
    """Give a verb `--as USER`."""
    return click.option("--as", "user", metavar="USER", help="Who does it. Otherwise the project's first user.")(verb)


@contextmanager
def sitting(app: App, user: str | None) -> Iterator[Desk]:
    """The desk with this user at it; None: the project's first."""
    desk = app.desk()
    try:
        yield desk if user is None else desk.sitting(user)
    finally:
        desk.close()
