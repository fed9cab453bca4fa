"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Nothing is timed: a busy machine is no failure.
settings.register_profile("filesync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("filesync")
