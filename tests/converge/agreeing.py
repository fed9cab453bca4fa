"""The two sites change what they agreed on while people go on: proposals and answers, chosen by numbers."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from filesync.agent.contract.propose import accept, decline, propose, withdraw
from filesync.agent.contract.switch import at_work
from filesync.errors import NotHere
from filesync.ledger import proposals
from filesync.ledger.proposals import OPEN, Proposal
from filesync.model.ids import Kind
from tests.converge.said import NEITHER, Said
from tests.support.two_sites import EXCHANGE, Side

# What may be so or otherwise in a contract, each by a bit: words made coarser, a field called otherwise, one taken out,
# who wins said by a value, or by a person; who alone tells comments and worklogs, that attachments stay at home, what becomes
# of deleted comments, keys told.
_COARSE, _RENAMED, _LESS, _BY_VALUE, _COMMENTS, _WORK, _KEPT, _KEYS, _ASK, _FILES = BITS = (
    1,
    2,
    4,
    8,
    16,
    32,
    64,
    128,
    256,
    512,
)
_SEVERITY: Final = "severity: {kind: option, options: [Critical, Major, Minor, Cosmetic]"
_BAD: Final = {"Critical": "Bad", "Major": "Bad", "Minor": "Mild", "Cosmetic": "Mild"}
_OWN: Final[dict[str, dict[str, Any]]] = {
    "acme": {"fields": {"description": "customer_reference"}, "users_by": "email"},
    "globex": {"fields": {"priority": {"field": "priority", "options": {"Highest": "High"}}}, "users_by": "email"},
}


def _contract(text: str, bits: int) -> str:
    """The contract in force with other of these bits, one version on. Which they are, its last line says."""
    first = re.sub(r"\n# changed: .*\n$", "\n", text)
    before = _bits(text)
    version = int(re.search(r"^version: ([0-9]+)", first, re.MULTILINE)[1])  # type: ignore[index] # every contract has one
    first = first.replace(f"version: {version}", f"version: {version + 1}", 1)
    for bit, old, new in (
        (_COARSE, _SEVERITY, "severity: {kind: option, options: [Bad, Mild]"),
        (_RENAMED, "  story_points: {kind: number}", "  points: {kind: number}"),
        (_BY_VALUE, "\nwinner: first ", "\nwinner: {field: priority, acme: [High], globex: [Low], else: globex} "),
        (_ASK, "  customer_reference: {kind: text}", "  customer_reference: {kind: text, winner: ask}"),
        (_ASK, "  summary: {kind: text}", "  summary: {kind: text, winner: ask}\n  status: {kind: status, winner: ask}"),
        (_ASK, "  due_date: {kind: date}", "  due_date: {kind: date, winner: ask}"),
        (_ASK, ", winner: globex}", ", winner: ask}"),
        (_LESS, "  assignee: {kind: user}\n", "  # nobody\n"),
        (_COMMENTS, "\ncomments: true ", "\ncomments: {from: acme} "),
        (_WORK, "\nworklogs: true\n", "\nworklogs: {from: globex}\n"),
        (_KEPT, "\n  comment: mirror ", "\n  comment: ignore "),
        (_FILES, "\nattachments: true\n", "\nattachments: false\n"),
        (_KEYS, "\n# keys: true ", "\nkeys: true "),
    ):
        was, now = (old, new) if bits & bit else (new, old)
        if bool(before & bit) != bool(bits & bit):
            assert was in first, (bit, before, bits)
            first = first.replace(was, now)
    return f"{first}# changed: {bits}\n"


def asking(text: str) -> str:
    """A contract in which a person says who wins some fields."""
    return _contract(text, _ASK)


def _bits(text: str) -> int:
    """Which of them a contract has, by its last line; none where it was never changed."""
    return int(found[1]) if (found := re.search(r"\n# changed: ([0-9]+)\n$", text)) else 0


def said_now(side: Side, before: Said) -> Said:
    """What the contract in force says of ways and ends, after what was said at first."""
    text = (side.folder / "contract.yaml").read_text()
    bits = _bits(text)
    if "\n# changed: " not in text or (bits == _ASK and "\nversion: 2 " in text):
        return before  # nobody changed it
    ways = {Kind.COMMENT: "acme"} if bits & _COMMENTS else {}
    ways |= {Kind.WORKLOG: "globex"} if bits & _WORK else {}
    ways |= {Kind.ATTACHMENT: NEITHER} if bits & _FILES else {}
    return replace(before, ways=ways, changed={Kind.COMMENT: frozenset({"mirror", "ignore"})})


def _mapping(name: str, bits: int) -> str:
    """The mapping of a site that goes with a contract with these bits."""
    ours: dict[str, Any] = json.loads(json.dumps(_OWN[name]))
    if bits & _COARSE:
        ours["fields"]["severity"] = {"field": "severity", "options": _BAD}
    if bits & _RENAMED:
        ours["fields"]["story_points"] = "points"
    return json.dumps(ours) + "\n"


def open_at(side: Side) -> Proposal | None:
    """The partner's proposal that nobody has answered here."""
    x = side.exchange().id
    with side.site.ledger.begin() as conn:
        one = proposals.of(conn, x)
    return one if one is not None and not one.ours and one.state == OPEN else None


def proposing(side: Side, number: int) -> None:
    """One bit turned round."""
    at_work(side.site, EXCHANGE)  # a switch that was cut off brings another contract.yaml
    text = (side.folder / "contract.yaml").read_text()
    bits = _bits(text) ^ BITS[number % len(BITS)]
    file, mapping = side.folder / "new-contract.yaml", side.folder / "new-mapping.yaml"
    file.write_text(_contract(text, bits))
    mapping.write_text(_mapping(side.name, bits))
    with suppress(NotHere):  # another one is under way
        propose(side.site, EXCHANGE, file, mapping=mapping, message="we need it")


def withdrawing(side: Side) -> None:
    """Taken back, whether or not somebody has accepted it by now."""
    with suppress(NotHere):  # nothing of ours is under way
        withdraw(side.site, EXCHANGE, message="not now")


def answering(side: Side, number: int) -> None:
    """Yes, or one time out of four no."""
    one = open_at(side)
    if one is None:
        return
    if number % 4 == 3:
        decline(side.site, EXCHANGE, message="not now")
        return
    mapping = side.folder / "new-mapping.yaml"
    mapping.write_text(_mapping(side.name, _bits(one.text)))
    accept(side.site, EXCHANGE, mapping=mapping)
