"""A real sshd on the loopback: its own host key and configuration, started and stopped by the test."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.carriers.scene import RECIPES
from tests.support.programs import need

_PATIENCE = 30  # seconds for what happens at once, on a machine that is busy


def until(what: str, came: Callable[[], bool]) -> None:
    """Wait for something that will come."""
    end = time.monotonic() + _PATIENCE
    while not came():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.01)


def descendants(pid: int) -> list[int]:
    """The processes below this one, as Linux lists them."""
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it ended meanwhile
        return []
    return [one for child in children for one in (child, *descendants(child))]


@dataclass(frozen=True)
class Server:
    """The partner's machine."""

    folder: Path
    port: int
    pid: int

    def admit(self, *, recipe: str, inbox: Path) -> None:
        """Let the carrier's key in, as the line of `authorized_keys` for this recipe says."""
        lines = (RECIPES / "authorized_keys").read_text().splitlines()
        [line] = [line for line in lines if line.endswith(f"({recipe})")]
        key = (self.folder / "carrier_key.pub").read_text().strip()
        line = line.replace("/srv/globex/inbox", str(inbox)).replace("/usr/bin/rrsync", need("rrsync"))
        (self.folder / "authorized_keys").write_text(line.replace("ssh-ed25519 AAAA-OF-CARRIER-KEY", key) + "\n")

    def ssh_config(self, *, proxy: str | None) -> str:
        """The recipe's ssh_config, with what its comments ask to be changed."""
        changed = {
            "HostName": "127.0.0.1",
            "Port": str(self.port),
            "User": pwd.getpwuid(os.geteuid()).pw_name,
            "IdentityFile": str(self.folder / "carrier_key"),
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
        }
        text = (RECIPES / "ssh_config").read_text()
        for name, value in changed.items():
            text, count = re.subn(rf"^(    {name}) .*$", rf"\1 {value}", text, flags=re.MULTILINE)
            assert count == 1, name
        return text + (f"    ProxyCommand {proxy}\n" if proxy else "")

    def sessions(self) -> list[int]:
        return descendants(self.pid)

    def kill_who_writes(self) -> None:
        """The last processes of the chain: what rsync or sftp wrote stays as it lies."""
        for pid in self.sessions():
            if not descendants(pid):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """sshd on a free port, for this account and one key. At the end nothing of it runs any more."""
    keygen, sshd = need("ssh-keygen"), need("sshd")
    for name in ("host_key", "carrier_key"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd asks for it when root starts it; its service makes it
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        "Subsystem sftp internal-sftp\n"
    )
    kind, key, _ = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    command: list[str | Path] = [sshd, "-D", "-f", folder / "sshd_config", "-E", folder / "sshd.log"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    server = Server(folder, port, process.pid)
    try:
        until("sshd listens", lambda: "Server listening" in _text(folder / "sshd.log") or process.poll() is not None)
        assert process.poll() is None, _text(folder / "sshd.log")
        yield server
    finally:
        try:
            until("the last session is over", lambda: not server.sessions())
        finally:
            process.terminate()
        process.wait(_PATIENCE)


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def relay(server: Server, *, allowed: int, mark: Path) -> str:
    """The ProxyCommand of a line that stands still after so many bytes, and makes `mark`."""
    words = [need("python3"), Path(__file__).with_name("relay.py"), server.port, allowed, mark]
    return shlex.join(map(str, words))
