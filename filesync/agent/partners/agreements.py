"""What people decided about exchanges, as values (agent/events.py)."""

from __future__ import annotations

from typing import Final

from filesync.agent.events import Event, Severity, count_text, ended, ranges
from filesync.model.by_hand import Hand
from filesync.model.ids import Gid

_PROBLEMS: Final = 5  # that a line names


class ExchangePaused(Event, frozen=True, kw_only=True):
    """A person wants nothing done on an exchange for now."""

    name: str
    partner: str
    reason: str

    def sentence(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"exchange {self.name} with {self.partner} is paused{why}: nothing is sent or applied on it, and what arrives "
            f"stays in the inbox. Go on with: filesync resume --exchange {self.name}"
        )


class ExchangeResumed(Event, frozen=True, kw_only=True):
    """A paused exchange goes on."""

    name: str
    partner: str
    since: str

    def sentence(self) -> str:
        return f"exchange {self.name} with {self.partner} goes on; it was paused since {self.since}"


class ExchangeEnded(Event, frozen=True, kw_only=True):
    """An exchange is no more."""

    name: str
    partner: str
    undelivered: int

    def sentence(self) -> str:
        lost = f" {count_text(self.undelivered, 'bundle')} had not been acknowledged." if self.undelivered else ""
        return (
            f"exchange {self.name} with {self.partner} is ended: nothing is sent or taken on it any more.{lost} Both "
            f"trackers keep what they have. {self.partner} is not told by this; what it still sends stays in the inbox"
        )


class Tied(Event, frozen=True, kw_only=True):
    """Issues that both sides had before are exchanged from now on."""

    partner: str
    issues: int
    stands: str  # ours · theirs · contract

    def sentence(self) -> str:
        whose = {
            "ours": "where they differ, our values stand",
            "theirs": f"where they differ, the values of {self.partner} stand",
            "contract": "where they differ, the contract says whose values stand",
        }
        return (
            f"{count_text(self.issues, 'issue')} of ours {'is' if self.issues == 1 else 'are'} the same as at {self.partner}, "
            f"and will not be made twice: {whose[self.stands]}"
        )


class ToldAgain(Event, frozen=True, kw_only=True):
    """A person wants what was told before to be told once more."""

    partner: str
    issues: int
    fields: list[str]  # empty: all but the status
    status: bool = False  # where `fields` is empty: the status, too

    def sentence(self) -> str:
        which = ", ".join(self.fields) or ("every field" if self.status else "every field but the status")
        return f"{count_text(self.issues, 'issue')} will be told to {self.partner} once more, after all edits: {which}"


class ContractProposed(Event, frozen=True, kw_only=True):
    """A change of the contract waits for the other side."""

    severity = Severity.WARNING
    standing = True
    partner: str
    version: int
    ours: bool
    withdrawn: bool = False
    unreadable: str = ""  # why it cannot be read here, and what made it
    instead_of: int = 0  # the version of ours that gave way to it; 0: none

    def sentence(self) -> str:
        if not self.instead_of:
            return self._sentence()
        ours = f"contract {self.instead_of}, which was proposed here at the same time, gave way to it"
        return f"{self._sentence()}. Ours, {ours}: once it is decided, propose that again"

    def _sentence(self) -> str:
        if self.withdrawn:
            return (
                f"contract {self.version}, which was proposed to {self.partner}, is withdrawn: until the filesync there has "
                "answered that, nothing new is exported to it. Edits are not lost, they go out then"
            )
        if self.unreadable:
            return (
                f"{self.partner} proposes contract {self.version}, which cannot be read here ({self.unreadable}). Where a "
                "newer filesync made it, upgrade this site, then accept it; or: filesync contract decline. Nothing is lost"
            )
        if self.ours:
            return (
                f"contract {self.version} is proposed to {self.partner}: until it is accepted or declined there, nothing new "
                "is exported to it. Edits are not lost, they go out then; what comes in is applied as ever"
            )
        return (
            f"{self.partner} proposes contract {self.version}. Its changes wait, there or here, until somebody "
            "decides; nothing is lost. See: filesync contract show; then: filesync contract accept, or decline"
        )


class NotAccepted(Event, frozen=True, kw_only=True):
    """What is to be accepted without asking does not fit here."""

    severity = Severity.WARNING
    standing = True
    partner: str
    version: int
    problems: list[str]
    hint: str

    def sentence(self) -> str:
        return (
            f"contract {self.version} of {self.partner} is not accepted without asking, for it does not fit here: "
            f"{ended('; '.join(self.problems[:_PROBLEMS]))} All else goes on. {self.hint}"
        ).rstrip()


class ContractInForce(Event, frozen=True, kw_only=True):
    """Another contract is in force."""

    partner: str
    version: int
    digest: str

    def sentence(self) -> str:
        return f"contract {self.version} ({self.digest[:8]}) is in force with {self.partner} from here on"


class ReadAnew(Event, frozen=True, kw_only=True):
    """The first export since another contract came into force, as it was proposed and accepted."""

    partner: str

    def sentence(self) -> str:
        return f"another contract came into force since the last export for {self.partner}: every issue is looked at again"


class ContractDeclined(Event, frozen=True, kw_only=True):
    """A change of the contract came to nothing."""

    severity = Severity.WARNING
    partner: str
    version: int
    ours: bool  # the proposal
    why: str  # in the words of whoever declined, cut

    def sentence(self) -> str:
        who = f"{self.partner} declined contract {self.version}" if self.ours else f"contract {self.version} was declined here"
        return f"{who}{f': {self.why}' if self.why else ''}. The one before stays in force, and exports go on"


class ContractWithdrawn(Event, frozen=True, kw_only=True):
    """A proposal was taken back. `late`: it had been accepted before that was read."""

    severity = Severity.WARNING
    partner: str
    version: int
    ours: bool
    late: bool = False
    why: str = ""  # in the words of whoever withdrew, cut

    def sentence(self) -> str:
        who = "here" if self.ours else f"by {self.partner}"
        if self.late:
            return (
                f"contract {self.version} was withdrawn {who} too late: it had been accepted before that was read, and is in "
                "force on both sides. To go back, propose another one"
            )
        why = f": {self.why}" if self.why else ""
        return f"contract {self.version} was withdrawn {who}{why}. The one before stays in force, and exports go on"


class ContractGaveWay(Event, frozen=True, kw_only=True):
    """The partner's proposal, to which one of ours gave way, is decided."""

    severity = Severity.WARNING
    partner: str
    version: int  # of ours

    def sentence(self) -> str:
        return (
            f"contract {self.version}, which was proposed here when {self.partner} proposed one, too, gave way to that, and "
            "was never decided. Where it is still wanted, propose it again, counted up from the one in force: "
            "filesync contract propose FILE --message TEXT"
        )


class FieldsMoved(Event, frozen=True, kw_only=True):
    """Fields of a new contract stand for other fields of a tracker than those that the partner takes them for."""

    severity = Severity.WARNING
    partner: str
    version: int
    fields: list[str]
    told: bool  # both tell theirs again; else the partner alone could

    def sentence(self) -> str:
        which = ", ".join(self.fields)
        text = (
            f"under contract {self.version} the two sites took {which} from different fields of the contract before: the "
            "mapping of one of them names another field of its tracker now"
        )
        if self.told:
            return f"{text}. What either has there is told again, and where both differ the contract says who wins"
        return f"{text}. Ask {self.partner} to tell them again: filesync resync --fields {','.join(self.fields)}"


class SaidByHand(Event, frozen=True, kw_only=True):
    """A person stopped or started one issue, or left it to the scope again."""

    partner: str
    key: str
    gid: Gid
    hand: Hand

    def sentence(self) -> str:
        match self.hand:
            case Hand.STOPPED:
                them = self.partner
                return f"{self.key} is stopped: nothing of it goes to {them}, and what {them} tells of it waits here"
            case Hand.STARTED:
                return f"{self.key} is started: it goes to {self.partner}, whatever the scope says"
            case Hand.AS_SCOPE:
                return f"whether {self.key} goes to {self.partner} is as the scope says again"


class KeyRotated(Event, frozen=True, kw_only=True):
    """From the next bundle on another key of ours signs, or opens."""

    partner: str
    seq: int  # the bundle that says so; 0: none does
    since: int  # the first that the new key signs
    fingerprint: str  # empty: as before
    recipient: str  # empty: as before

    def sentence(self) -> str:
        if self.recipient:
            return f"bundle {self.seq} tells {self.partner} to encrypt for {self.recipient} from then on; the key before stays"
        if not self.seq:
            return f"bundles for {self.partner} from {self.since} on are signed with {self.fingerprint}; it is not told so"
        return f"bundle {self.seq} tells {self.partner} that {self.fingerprint} signs from {self.since} on"


class KeyIntroduced(Event, frozen=True, kw_only=True):
    """The partner changed a key, and said so in a bundle signed with the one before."""

    partner: str
    seq: int
    fingerprint: str  # of the one that signs from the next bundle on; empty: as before
    recipient: str  # for which we encrypt from now on; empty: as before

    def sentence(self) -> str:
        signs = f" Its bundles from {self.seq + 1} on are signed with {self.fingerprint}." if self.fingerprint else ""
        opens = f" What is sent to it is encrypted for {self.recipient} from now on." if self.recipient else ""
        return f"{self.partner} changed a key (bundle {self.seq}, signed with the one before).{signs}{opens}"


class KeyRevoked(Event, frozen=True, kw_only=True):
    """A person says that the partner's key signs nothing any more."""

    severity = Severity.WARNING
    partner: str
    exchange: str
    fingerprint: str
    since: int
    refused: list[int]  # bundles that were held, and are in quarantine now
    applied: list[int]  # bundles that were applied before it was said
    partly: tuple[int, ...] = ()  # of the refused, those that an import had begun with
    undecided: int = 0  # changes that waited or were stuck, and are dropped
    recipient: str = ""  # what one of these made us encrypt for

    def sentence(self) -> str:
        text = (
            f"the key of {self.partner}, {self.fingerprint}, is revoked from bundle {self.since} on: nothing from there on is "
            f"taken on exchange {self.exchange} until its new key is accepted (filesync pair accept --replace-key FILE)."
        )
        if self.refused:
            text += f" Held and now refused: {ranges(self.refused)}; they are in quarantine."
        if self.undecided:
            text += f" {count_text(self.undecided, 'change')} of theirs that waited or could not be applied: dropped."
        if self.partly:
            text += f" An import had begun with {ranges(list(self.partly))}, and some of that may be applied."
        if self.applied:
            text += f" Applied before this was said: {ranges(self.applied)}."
        if self.applied or self.partly:
            text += (
                f" Ask {self.partner} whether it made them; if not, what "
                "they changed here must be looked at by hand (filesync log), and both end the exchange and pair again."
            )
        if self.recipient:
            text += (
                f" One of them made us encrypt for {self.recipient}: nothing more is encrypted for that, and exports wait for "
                "the new pairing file. What was exported since can be read by whoever has that key: take it out of the outbox."
            )
        return text
