"""What holds for all tests."""

from __future__ import annotations

import ssl

import httpx2
from hypothesis import HealthCheck, settings

# Nothing is timed: a busy machine is no failure.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", _UNTIMED, max_examples=25)
settings.register_profile("prove", _UNTIMED, max_examples=500)
settings.load_profile("quick")


def _trusting_nobody(*_: object, **_how: object) -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# Reading all the authorities that this machine trusts takes longer than a request, and none of them signs for a test.
httpx2.create_ssl_context = _trusting_nobody
