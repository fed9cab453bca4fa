"""The configuration of a site: filesync.yaml in, one frozen value out, or every problem with its line and column."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from importlib import resources
from itertools import combinations
from pathlib import Path
from string import Template
from typing import Any, Final

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.mail.settings import PASSWORD, MailSettings
from filesync.mail.settings import problems as mail_problems
from filesync.mail.settings import read_settings as mail_settings
from filesync.model.ids import SiteId
from filesync.rules.winner import TAKEN
from filesync.settings import READ, At, Document, duration, in_quotes, load, place_in_file, size, spelt
from filesync.trackers.registry import KINDS, secret_files, settings_problems

_DEFAULTS: Final[Mapping[str, str]] = {
    "signing": "keys/signing",
    "age": "keys/age.txt",
    "allowed_signers": "keys/allowed_signers",
}
SMALLEST_BUNDLE: Final = 64 << 10  # bytes: the head of a bundle and one ordinary change fit
LARGEST_BUNDLE: Final = 256 << 20  # bytes: what a reader takes (filesync.bundle.limits)
# from, to
_SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "max_bundle_bytes": (SMALLEST_BUNDLE, LARGEST_BUNDLE),
    "inline_blob": (1 << 10, 64 << 20),
    "chunk": (1 << 10, 192 << 20),
}


class InboxPolicy(StrEnum):
    """What becomes of a file in the inbox once its bytes are safe in the store."""

    KEEP = "keep"
    MOVE = "move"
    DELETE = "delete"


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """The folders of a site, absolute, none inside another."""

    outbox: Path
    inbox: Path
    archive: Path
    store: Path
    quarantine: Path
    state: Path
    guard: Path

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.state / "ledger.db"

    @property
    def spool(self) -> Path:
        """Where bundles are built, in a folder for each exchange. Erased at will."""
        return self.state / "spool"

    @property
    def fetched(self) -> Path:
        """Where small attachments stand until the bundle that holds them is in the archive; a folder each exchange."""
        return self.state / "fetched"

    @property
    def stage(self) -> Path:
        """Where arriving files are copied to before anything looks into them, in a folder for each exchange. Erased at will."""
        return self.state / "stage"


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Where keys are. `command` signs instead of the `signing` file: exactly one of both is given."""

    signing: Path | None
    command: tuple[str, ...]
    age: Path
    allowed_signers: Path


class TrackerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which adapter, which project, and the adapter's own settings; relative paths in these are relative to `base`."""

    kind: str
    project: str
    settings: Mapping[str, object]
    base: Path


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and waits."""

    max_bundle_bytes: int = 64 << 20  # a bundle is closed at this size
    max_changes: int = 2_000  # or at so many changes
    inline_blob: int = 1 << 20  # bytes of an attachment that travels inside a bundle; a bigger one goes in chunks
    chunk: int = 64 << 20  # bytes of a chunk
    early_chunks: int = 4 << 30  # bytes of chunks that are kept here though no change that came names them (yet)
    settle: dt.timedelta = dt.timedelta(minutes=10)  # a failing file that stayed the same so long is damaged
    grace: dt.timedelta = dt.timedelta(hours=1)  # how long a missing bundle is waited for before it is asked for
    window: int = 10_000  # bundles that may be ahead of the one waited for
    report_every: dt.timedelta = dt.timedelta(days=1)  # how often at least a partner hears how far we are
    keep_bundles: int = 100  # the newest bundles of a stream, which are never pruned
    keep_for: dt.timedelta = dt.timedelta(days=30)  # nor is a bundle that is younger than this
    keep_log: dt.timedelta = dt.timedelta(days=365)  # entries of the ledger's journal that are older are pruned
    level: int = 3  # zstd
    first_import: int = 500  # issues that a first import makes without being asked for
    workers: int = 4  # issues that an import works on at the same time

    @property
    def piece(self) -> int:
        """Bytes of a chunk, such that no file is larger than `max_bundle_bytes`: what a carrier takes."""
        return min(self.chunk, room_in(self.max_bundle_bytes))

    @property
    def inline(self) -> int:
        """Bytes up to which an attachment travels inside a bundle."""
        return min(self.inline_blob, self.piece)


class ContractChanges(StrEnum):
    """What becomes of a contract that a partner proposes: a person decides, or it is accepted if the mapping fits it."""

    ASK = "ask"
    ACCEPT = "accept"


class ExchangeRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one exchange. `mapping` None: both sides use the contract's words."""

    contract: Path
    mapping: Path | None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A site. All paths are absolute. `exchanges` names those with rules of their own: ask `rules_of`."""

    path: Path
    site: SiteId
    name: str
    folders: Folders
    keys: Keys
    tracker: TrackerSettings
    limits: Limits
    inbox_policy: InboxPolicy
    contract_changes: ContractChanges
    contract: Path
    mapping: Path | None
    exchanges: Mapping[str, ExchangeRules]
    mail: MailSettings | None  # None: no mail is sent

    def rules_of(self, exchange: str) -> ExchangeRules:
        """The contract and mapping of an exchange: its own, else the site's."""
        return self.exchanges.get(exchange) or ExchangeRules(contract=self.contract, mapping=self.mapping)


def room_in(file: int) -> int:
    """How many bytes of data one encrypted file of so many bytes holds for sure, with a head and one data file."""
    return file - (file >> 11) - (16 << 10)


def load_config(path: Path) -> Config:
    """Read a site's configuration. Raises ConfigError with every problem."""
    document = load(path, "config")
    reader = _Reader(path.absolute(), document)
    config = reader.config()
    if reader.problems:
        hint = f"Mend {path} and run `filesync check`. {READ['config']}"
        raise ConfigError(sorted(reader.problems, key=place_in_file), hint=hint)
    return config


def new_config(*, site: SiteId, name: str, tracker: str, project: str, settings: Mapping[str, str] | None = None) -> str:
    """The commented filesync.yaml of a new site: `load_config` gives back these values, and defaults for the rest.

    `settings`: what is known of `tracker.settings`; each has a line in the template of its kind of tracker.
    """
    text = template(f"settings-{tracker if tracker in KINDS else KINDS[0]}.yaml")
    for setting, value in (settings or {}).items():
        place = "token_file" if setting.startswith("token_") else setting  # where the template says who we are
        line = f"    {setting}: {spelt(value)}"
        text = "\n".join(line if re.match(rf"    (# )?{place}: ", one) else one for one in text.splitlines())
    words = {
        "settings": text.rstrip(),
        "site": site,
        "name": in_quotes(name),
        "tracker": in_quotes(tracker),
        "project": in_quotes(project),
    }
    return Template(template("filesync.yaml")).substitute(words)


def template(name: str) -> str:
    """The text of what `init` writes: "contract.yaml", "mapping.yaml", or a part of filesync.yaml."""
    return (resources.files("filesync.templates") / name).read_text(encoding="utf-8")


def clashes(folders: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Folders that are the same or one inside another, links followed, each as (its name, what is wrong)."""
    real = {name: path.resolve() for name, path in folders.items()}
    for (one, here), (two, there) in combinations(real.items(), 2):
        if here == there:
            yield two, f"{two} is the same folder as {one}: {there}"
        elif there.is_relative_to(here):
            yield two, f"{two} is inside {one}: {there}"
        elif here.is_relative_to(there):
            yield one, f"{one} is inside {two}: {here}"


class _Reader:
    """From a document that fits the schema to values, gathering what the schema cannot see."""

    def __init__(self, path: Path, document: Document) -> None:
        self.path = path
        self.document = document
        self.data: dict[str, Any] = document.data
        self.problems: list[Problem] = []

    def config(self) -> Config:
        data = self.data
        tracker = data["tracker"]
        folders, keys = self._folders(), self._keys()
        own = self._rules((), data, ExchangeRules(contract=self.path.parent / "contract.yaml", mapping=None))
        limits = self._limits()
        mail = self._mail(limits)
        self._keep_out_of_reach(folders, keys, mail)
        if data["site"]["name"] in TAKEN:
            what = f"`{data['site']['name']}` means something else where a contract says who wins: take another name"
            self.problems.append(self.document.problem(("site", "name"), what))
        wrong = settings_problems(tracker["kind"], tracker.get("settings", {}))
        self.problems += [self.document.problem(("tracker", *at), what) for at, what in wrong]
        return Config(
            path=self.path,
            site=SiteId(data["site"]["id"]),
            name=data["site"]["name"],
            folders=folders,
            keys=keys,
            tracker=TrackerSettings(
                kind=tracker["kind"],
                project=tracker["project"],
                settings=tracker.get("settings", {}),
                base=self.path.parent,
            ),
            limits=limits,
            inbox_policy=InboxPolicy(data.get("inbox_policy", "move")),
            contract_changes=ContractChanges(data.get("contract_changes", "ask")),
            contract=own.contract,
            mapping=own.mapping,
            exchanges={name: self._rules(("exchanges", name), rules, own) for name, rules in data.get("exchanges", {}).items()},
            mail=mail,
        )

    def _mail(self, limits: Limits) -> MailSettings | None:
        given = self.data.get("mail")
        if given is None:
            return None
        self.problems += [self.document.problem(("mail", *at), what) for at, what in mail_problems(given)]
        return mail_settings(given, path=lambda name, text: self._path(("mail", name), text), report_every=limits.report_every)

    def _path(self, at: At, text: str) -> Path:
        try:
            return self.path.parent / Path(text).expanduser()
        except (RuntimeError, ValueError) as error:  # an unknown ~user
            self.problems.append(self.document.problem(at, f"no path: {error}"))
            return self.path.parent / text

    def _folders(self) -> Folders:
        given = self.data.get("folders", {})
        paths = {name: self._path(("folders", name), given.get(name, name)) for name in Folders.__struct_fields__}
        self.problems += [self.document.problem(("folders", name), what) for name, what in clashes(paths)]
        return Folders(**paths)

    def _keys(self) -> Keys:
        given = self.data.get("keys", {})
        paths = {name: self._path(("keys", name), given.get(name, default)) for name, default in _DEFAULTS.items()}
        command = tuple(given.get("command", ()))
        if command and "signing" in given:
            self.problems.append(self.document.problem(("keys", "command"), "give either `signing` or `command`, not both"))
        return Keys(
            signing=None if command else paths["signing"],
            command=command,
            age=paths["age"],
            allowed_signers=paths["allowed_signers"],
        )

    def _keep_out_of_reach(self, folders: Folders, keys: Keys, mail: MailSettings | None) -> None:
        """Keys and secrets in a folder that a carrier empties or fills would travel, or be replaced."""
        tracker = self.data["tracker"]
        files: list[tuple[At, Path | None]] = [(("keys", name), getattr(keys, name)) for name in _DEFAULTS]
        for at, path in secret_files(tracker["kind"], tracker.get("settings", {})):
            files.append((("tracker", *at), self._path(("tracker", *at), path)))
        files.append((("mail", PASSWORD), None if mail is None else mail.password_file))
        for at, file in files:
            for place in ("outbox", "inbox"):
                if file is not None and file.resolve().is_relative_to(getattr(folders, place).resolve()):
                    what = f"{at[-1]} lies in the {place}, where the carrier reads and writes: {file}"
                    self.problems.append(self.document.problem(at, what))

    def _rules(self, at: At, given: Mapping[str, Any], default: ExchangeRules) -> ExchangeRules:
        contract, mapping = default.contract, default.mapping
        if "contract" in given:
            contract = self._path((*at, "contract"), given["contract"])
        if "mapping" in given:
            mapping = None if given["mapping"] is None else self._path((*at, "mapping"), given["mapping"])
        return ExchangeRules(contract=contract, mapping=mapping)

    def _limits(self) -> Limits:
        given = self.data.get("limits", {})
        numbers = ("max_changes", "window", "keep_bundles", "level", "first_import", "workers")
        read: dict[str, Any] = {name: int(given[name]) for name in numbers if name in given}
        read |= {
            name: duration(given[name]) for name in ("settle", "grace", "report_every", "keep_for", "keep_log") if name in given
        }
        read |= {name: size(given[name]) for name in (*_SIZES, "early_chunks") if name in given}
        limits = Limits(**read)
        for name, (smallest, largest) in _SIZES.items():
            if not smallest <= getattr(limits, name) <= largest:
                what = f"must be from {smallest >> 10} KiB to {largest >> 20} MiB, which is what a partner takes"
                self.problems.append(self.document.problem(("limits", name), what))
        return limits
