"""The allowed signers of a site: one file in OpenSSH's own format, so that `ssh-keygen -Y verify` reads it too.

A line is `principal [options] key [comment]` (ssh-keygen(1), ALLOWED SIGNERS). The principal is the site's name.
Our own key stands first, then the partners'.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filesync.errors import ConfigError, KeyProblem, Problem, disk_problem
from filesync.keys import keyfile
from filesync.keys.sshsig import PublicKey

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_NAMESPACES = re.compile(r"[!-+\--~]+(,[!-+\--~]+)*")  # printable ASCII without blanks, between commas
# One option, in quotes with `\"` for a quote where it has a value.
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(?:,|(?=\s)|$)')
# Times never decide who may sign, sequence numbers do: clocks of the two sites need not agree. ssh-keygen heeds them.
_TIMES = {"valid-after", "valid-before"}


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """A key that may sign as the site `principal`, in these namespaces (none named: in every one)."""

    principal: str
    key: PublicKey
    namespaces: tuple[str, ...] = ()

    def may_sign(self, namespace: str) -> bool:
        """Whether the key counts in this namespace."""
        return not self.namespaces or namespace in self.namespaces


def read_signers(path: Path) -> tuple[AllowedSigner, ...]:
    """All signers, in the file's order. Raises ConfigError with every problem and its line, DiskProblem."""
    return _signers(_text(path), path)


def add_signer(path: Path, signer: AllowedSigner, *, instead_of: AllowedSigner | None = None) -> None:
    """Add a line at the end, once; comments stay. The file is made where there is none.

    The lines that give the key of `instead_of` to its principal go out with the same write. Raises ConfigError, DiskProblem;
    KeyProblem: the key is another site's already. ValueError: the signer cannot stand in such a file (its name or a
    namespace has letters that mean something there).
    """
    now = _text(path) if path.exists() else ""
    _signers(now, path)
    before = now if instead_of is None else _without(now, [instead_of])
    known = _signers(before, path)
    if signer in known:
        if before != now:
            keyfile.replace(path, before.encode(), mode=0o644)
        return
    if others := [one.principal for one in known if one.key == signer.key and one.principal != signer.principal]:
        raise KeyProblem(
            f"the key of {signer.principal} is {others[0]}'s already ({path.name}): who signed could not be told",
            hint=f"Every site has a key of its own. Ask {signer.principal} for its own pairing file; where {others[0]} goes by "
            f"another name now, take its line out of {path} first.",
        )
    after = before + ("\n" if before and not before.endswith("\n") else "") + _line(signer)
    keyfile.replace(path, after.encode(), mode=0o644)


def lead(path: Path, signer: AllowedSigner) -> None:
    """Put a line first, where our own key stands; what there was of it elsewhere goes. Raises ConfigError, DiskProblem."""
    now = _text(path)
    known = _signers(now, path)
    if known and known[0] == signer:
        return
    keyfile.replace(path, (_line(signer) + _without(now, [signer])).encode(), mode=0o644)


def take_out(path: Path, gone: Collection[AllowedSigner]) -> None:
    """Take out the lines that give these keys to their principals; comments stay. Raises ConfigError, DiskProblem."""
    now = _text(path)
    _signers(now, path)
    left = _without(now, gone)
    if left != now:
        keyfile.replace(path, left.encode(), mode=0o644)


def _line(signer: AllowedSigner) -> str:
    """The signer's line. Raises ValueError where its name or a namespace has letters that mean something there."""
    options = f'namespaces="{",".join(signer.namespaces)}" ' if signer.namespaces else ""
    line = f"{signer.principal} {options}{signer.key.text()}\n"
    written = None
    with suppress(ValueError, KeyProblem):
        written = _signer(line.strip())
    if written != signer:
        raise ValueError(f"cannot be written as an allowed signer: {keyfile.quoted(signer.principal)}")
    return line


def _without(text: str, gone: Collection[AllowedSigner]) -> str:
    return "\n".join(line for line in text.split("\n") if not any(_says(line, one) for one in gone))


def _says(line: str, signer: AllowedSigner) -> bool:
    """Whether a line of a file that was read gives this key to this principal, in whatever namespaces."""
    if not line.strip() or line.lstrip().startswith("#"):
        return False
    said = _signer(line.strip())
    return (said.principal, said.key) == (signer.principal, signer.key)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise disk_problem(error, path, doing="read") from error
    if len(data) > keyfile.MAX_KEY_FILE:
        raise ConfigError([Problem(path.name, f"longer than {keyfile.MAX_KEY_FILE} bytes")])
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ConfigError([Problem(path.name, "not UTF-8 text")]) from None


def _signers(text: str, path: Path) -> tuple[AllowedSigner, ...]:
    found: list[AllowedSigner] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            signer = _signer(line.strip())
        except (ValueError, KeyProblem) as error:
            problems.append(Problem(f"{path.name}:{number}", str(error)))
            continue
        others = {one.principal for one in found if one.key == signer.key} - {signer.principal}
        problems += [
            Problem(
                f"{path.name}:{number}", f"the key of {signer.principal} is {other}'s already: who signed could not be told"
            )
            for other in others
        ]
        found.append(signer)
    if problems:
        raise ConfigError(problems, hint=f"Mend {path}, or take the line out and pair with that site again.")
    return tuple(found)


def _signer(line: str) -> AllowedSigner:
    """Read one line. Raises ValueError, KeyProblem."""
    principal, _, rest = line.partition(" ")
    if not _NAME.fullmatch(principal):
        raise ValueError(f"not a site's name: {keyfile.quoted(principal)} (a-z, 0-9 and -; one name a line, no patterns)")
    namespaces: tuple[str, ...] = ()
    rest = rest.lstrip()
    if not rest.startswith(("ssh-", "sk-", "ecdsa-")):
        options, rest = _options(rest)
        if unknown := options.keys() - _TIMES - {"namespaces"}:
            raise ValueError(f"unknown option {keyfile.quoted(min(unknown))}: taken are namespaces, valid-after, valid-before")
        if "namespaces" in options:
            namespaces = tuple(options["namespaces"].split(","))
            if not _NAMESPACES.fullmatch(options["namespaces"]) or any(set(name) & set("*?!") for name in namespaces):
                raise ValueError(
                    f"namespaces must be written in full, without patterns: {keyfile.quoted(options['namespaces'])}"
                )
    return AllowedSigner(principal, PublicKey.parse(rest), namespaces)


def _options(text: str) -> tuple[dict[str, str], str]:
    """The comma-separated options at the start of the text, names in lower case, and what follows them. Raises ValueError."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text) and not text[at].isspace():
        option = _OPTION.match(text, at)
        if option is None:
            raise ValueError(f"not an option or a key: {keyfile.quoted(text[at:])}")
        found[option[1].lower()] = (option[2] or "").replace('\\"', '"')
        at = option.end()
    return found, text[at:].lstrip()
