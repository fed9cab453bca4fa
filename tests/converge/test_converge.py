"""The convergence machine: a small share of it. `make prove` runs all of it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.converge.machine import STEPS, Converge, OneSided

_SETTINGS = settings(stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def test_both_sides_always_end_in_step() -> None:
    run_state_machine_as_test(Converge, settings=settings(_SETTINGS, max_examples=25))


def test_edits_at_one_side_never_come_back() -> None:
    run_state_machine_as_test(OneSided, settings=settings(_SETTINGS, max_examples=15))
