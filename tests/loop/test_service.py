"""The bell, the signals and the service manager, each for real."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from filesync.agent.running.service import Bell, Manager, stop_signals
from filesync.errors import ConfigError


def heard(listener: socket.socket) -> list[str]:
    listener.setblocking(False)
    found = []
    while True:
        try:
            found.append(listener.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_service_manager_is_told(tmp_path: Path, kind: str) -> None:
    name = str(tmp_path / "notify") if kind == "path" else f"\0filesync-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name)
        manager = Manager({"NOTIFY_SOCKET": name.replace("\0", "@")}, time.monotonic)
        manager.tell("READY=1")
        manager.alive()
        manager.tell("STOPPING=1")
        assert heard(listener) == ["READY=1", "STOPPING=1"], "WATCHDOG=1 only where it is asked for"


def test_the_watchdog_hears_of_us_three_times_in_its_span_and_not_at_every_step(tmp_path: Path) -> None:
    now = [100.0]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        manager = Manager(environment, lambda: now[0])
        assert manager.beat == 10.0
        for _ in range(60):
            manager.alive()
            now[0] += 0.5
        assert heard(listener) == ["WATCHDOG=1"] * 3


def test_without_a_manager_nobody_is_told() -> None:
    manager = Manager({"WATCHDOG_USEC": "30000000"}, time.monotonic)
    assert manager.beat is None
    manager.tell("READY=1")
    manager.alive()


def test_a_manager_that_is_gone_is_named(tmp_path: Path) -> None:
    manager = Manager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, time.monotonic)
    with pytest.raises(ConfigError, match="NOTIFY_SOCKET: the service manager cannot be told READY=1"):
        manager.tell("READY=1")


def test_a_bell_ends_the_wait_also_when_it_was_rung_before_and_very_often() -> None:
    with Bell() as bell:
        for _ in range(100_000):
            bell.ring()
        bell.wait(600)
        ringer = threading.Thread(target=bell.ring)
        ringer.start()
        bell.wait(600)
        ringer.join()
        bell.wait(0)
    bell.ring()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_and_a_second_one_ends_it_at_once(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Bell() as bell:
        with stop_signals(bell.ring) as stopping:
            assert not stopping()
            signal.raise_signal(number)
            assert stopping()
            bell.wait(600)
            assert signal.getsignal(number) == signal.SIG_DFL
        assert signal.getsignal(number) == before
