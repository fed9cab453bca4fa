"""Do two sites always end in step? A small share of it; `make prove` plays 10,000 seeds, 300 on a real disk, 500 in which
the contract changes, 2,000 with rules of the sites' own, 1,000 with winners by value, 1,000 with ways, ends and keys of their
own, and 200 with simulated Jiras.

A seed that fails is named with the shortest program that fails alike. To play one again:

    .venv/bin/python -c 'from tests.converge.seeds import prove; prove(4711)'    # with a Jira: prove_with_jira

FILESYNC_SEEDS=FIRST:COUNT lets `make prove` play others.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.converge.kept import WHAT_MAY_COME_TO_PASS
from tests.converge.machine import STEPS, Converge, OneSided
from tests.converge.seeds import (
    Program,
    failure_of,
    prove,
    prove_agreeing,
    prove_asking,
    prove_by_hand,
    prove_narrowed,
    prove_responsible,
    prove_unlike,
    prove_with_jira,
)

_BLOCK: Final = 50
_FIRST, _COUNT = (int(one) for one in os.environ.get("FILESYNC_SEEDS", "0:10000").split(":"))
_SEEDS: Final = [range(first, min(first + _BLOCK, _FIRST + _COUNT)) for first in range(_FIRST, _FIRST + _COUNT, _BLOCK)]
_ON_DISK: Final = [range(first, first + 25) for first in range(1_000_000, 1_000_300, 25)]
_MACHINE: Final = settings(stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), print_blob=True)


def _named(seeds: range) -> str:
    return f"seeds {seeds.start}-{seeds.stop - 1}"


@pytest.mark.parametrize("seeds", [range(first, first + 2) for first in range(0, 8, 2)], ids=_named)
def test_both_sides_end_in_step(seeds: range) -> None:
    for seed in seeds:
        prove(seed)


@pytest.mark.parametrize("seeds", [range(first, first + 2) for first in range(0, 4, 2)], ids=_named)
def test_edits_at_one_side_never_come_back(seeds: range) -> None:
    for seed in seeds:
        prove(seed, one_sided=True)


@pytest.mark.parametrize("seeds", [range(first, first + 2) for first in range(0, 2, 2)], ids=_named)
def test_sites_with_rules_of_their_own_end_in_step_as_far_as_these_let_them(seeds: range) -> None:
    for seed in seeds:
        prove_narrowed(seed, pairs=2)


@pytest.mark.parametrize("seeds", [range(first, first + 2) for first in range(0, 6, 2)], ids=_named)
def test_sites_with_a_jira_end_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_with_jira(seed)


@pytest.mark.parametrize("seeds", [range(first, first + 2) for first in range(0, 2, 2)], ids=_named)
def test_sites_that_change_their_contract_end_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_agreeing(seed)


def test_sites_of_which_values_say_who_wins_end_in_step() -> None:
    for seed in range(2):
        prove_responsible(seed)


def test_sites_with_ways_ends_and_keys_of_their_own_end_in_step() -> None:
    prove_unlike(0)


def test_sites_where_people_stop_and_start_issues_end_in_step() -> None:
    prove_by_hand(59)


def test_sites_that_leave_it_to_people_who_wins_end_in_step() -> None:
    for seed in range(2):
        prove_asking(seed)


def test_the_machine_ends_in_step() -> None:
    run_state_machine_as_test(Converge, settings=settings(_MACHINE, max_examples=2, derandomize=True))


def test_what_fails_is_told_as_the_shortest_program_that_fails() -> None:
    steps = (
        ("edit", "acme", 1),
        ("export", "acme", 0),
        ("wait", "acme", 2**24),
        ("comment", "globex", 5),
        ("no deed", "acme", 0),
    )
    shortest = Program("mark", False, 0, steps).reduced(lambda tried: isinstance(failure_of(tried), KeyError))
    assert shortest.steps == (("no deed", "acme", 0),)
    assert isinstance(eval(str(shortest), {"Program": Program}), Program)


# ── make prove ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.prove
@pytest.mark.parametrize("seeds", _SEEDS, ids=_named)
def test_every_seed_ends_in_step(seeds: range) -> None:
    """Every fourth with edits at one side only."""
    for seed in seeds:
        prove(seed, one_sided=seed % 4 == 3)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", _ON_DISK, ids=_named)
def test_every_seed_ends_in_step_on_a_real_disk(seeds: range, tmp_path: Path) -> None:
    for seed in seeds:
        prove(seed, one_sided=seed % 4 == 3, base=tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 200, 25)], ids=_named)
def test_every_seed_with_a_jira_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_with_jira(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 500, 25)], ids=_named)
def test_every_seed_that_changes_the_contract_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_agreeing(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 500, 25)], ids=_named)
def test_every_seed_in_which_people_stop_and_start_issues_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_by_hand(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 1000, 50)], ids=_named)
def test_every_seed_in_which_values_say_who_wins_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_responsible(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 1000, 50)], ids=_named)
def test_every_seed_in_which_people_say_who_wins_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_asking(seed)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 2000, 50)], ids=_named)
def test_every_seed_with_rules_of_their_own_ends_in_step(seeds: range) -> None:
    for seed in seeds:
        prove_narrowed(seed, pairs=200)


@pytest.mark.prove
@pytest.mark.parametrize("seeds", [range(first, first + 100) for first in range(0, 1000, 100)], ids=_named)
def test_every_seed_with_ways_ends_and_keys_of_their_own_ends_in_step(seeds: range) -> None:
    """And each of these really comes into play."""
    seen = Counter[str]()
    for seed in seeds:
        seen.update(prove_unlike(seed))
    assert [word for word in WHAT_MAY_COME_TO_PASS if not any(word in one for one in seen)] == []


@pytest.mark.prove
@pytest.mark.parametrize("machine", [Converge, OneSided])
def test_the_machine_finds_nothing(machine: type[Converge]) -> None:
    run_state_machine_as_test(machine, settings=settings(_MACHINE, max_examples=500))
