"""What a contract or a mapping says, taken out of filesync: the machine notices, and by the shortest of programs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import pytest

from tests.converge import without
from tests.converge.seeds import Program, Step, failure_of

Patch = pytest.MonkeyPatch

# comments and attachments have one teller each, worklogs another; policies differ by site and kind; keys are told and shown
_MUCH: Final = "said 22"
_CLOSING: Final = "said 4"


def _case(take: Callable[[Patch], None], *steps: Step, variant: str = _MUCH) -> object:
    return pytest.param(take, Program(variant, False, 0, steps), id=take.__name__)


CASES: Final = (
    _case(without.all_is_told, ("edit worklog", "acme", 0)),
    _case(without.all_is_taken, ("log work", "acme", 0)),
    _case(without.what_only_comes_is_kept, ("edit comment", "globex", 1), ("edit comment", "acme", 0)),
    _case(without.all_is_mirrored, ("delete", "globex", 0)),
    _case(without.nothing_is_marked, ("delete comment", "acme", 0)),
    _case(without.all_is_marked, ("delete", "globex", 0)),
    _case(without.nothing_is_closed, ("delete", "acme", 0), variant=_CLOSING),
    _case(without.origin_mirrors_all, ("delete", "acme", 3)),
    _case(without.origin_leaves_all, ("delete", "acme", 0)),
    _case(without.no_key_is_told, ("create", "globex", 0)),
    _case(without.no_key_is_learned, ("create", "globex", 0)),
    _case(without.nothing_is_shown, ("create", "globex", 0)),
    _case(without.what_is_apart_says_nothing, ("delete", "globex", 0)),
    _case(without.nothing_is_acknowledged, ("create", "acme", 0)),
)
_failure_of: Final = functools.cache(failure_of)


@pytest.mark.parametrize(("take", "program"), CASES)
def test_what_is_said_and_not_done_is_noticed(take: Callable[[Patch], None], program: Program, monkeypatch: Patch) -> None:
    assert _failure_of(program) is None  # and what all programs begin with is made by filesync as it is
    take(monkeypatch)
    with pytest.raises(AssertionError):
        program.play()
