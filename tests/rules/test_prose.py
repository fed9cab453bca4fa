"""What texts refer to, on their way: told alike whatever is paired, shown as each side names it, and back to the letter."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filesync.model.ids import SiteId
from filesync.model.manner import Manner
from filesync.rules.contract import Site
from filesync.rules.prose import Prose, readable
from filesync.rules.words import SAME, Words

ACME = Site(SiteId("11111111-1111-4111-8111-111111111111"), "acme")
GLOBEX = Site(SiteId("22222222-2222-4222-8222-222222222222"), "globex")
ACCOUNT = "712020:0af9c4e2-1b1c-4d1e"


@dataclass
class Known:
    """Keys of ours, and the partner's."""

    pairs: dict[str, str] = field(default_factory=dict)

    def theirs(self, key: str) -> str | None:
        return self.pairs.get(key)

    def ours(self, key: str) -> str | None:
        return next((ours for ours, theirs in self.pairs.items() if theirs == key), None)


def acme(pairs: dict[str, str] | None = None, *, project: str = "ABC", users: Words = SAME) -> Prose:
    return Prose(Manner(project), Known(pairs or {}), users=users, us=ACME.id, them=GLOBEX)


def globex(pairs: dict[str, str] | None = None, *, project: str = "LINE", users: Words = SAME, cloud: bool = False) -> Prose:
    return Prose(Manner(project, accounts=cloud), Known(pairs or {}), users=users, us=GLOBEX.id, them=ACME)


# told by acme; globex has acme's ABC-1 as LINE-7, and acme has globex's LINE-3 as ABC-9
SHOWN = {
    "see ABC-1.": "see LINE-7.",
    "ABC-9, ABC-1": "LINE-3, LINE-7",
    "not here: ABC-2": "not here: ABC-2@acme",
    "theirs, not here: LINE-4@globex": "theirs, not here: LINE-4",
    "xABC-1 ABC-1x ABC-12x a/ABC-1 !ABC-1.png! [^ABC-1.txt] SHA-256": "xABC-1 ABC-1x ABC-12x a/ABC-1 !ABC-1.png! [^ABC-1.txt] SHA-256",
    "{code:java}ABC-1 [~anna]{code} ABC-1": "{code:java}ABC-1 [~anna]{code} LINE-7",
    "[~anna], [~w.chen] \\[~anna]": "[~a.li], [~w.chen] \\[~anna]",
    "a \ufff9 sign": "a \ufff9 sign",
    "{code}\ufff9{code}": "{code}\ufff9{code}",
}


@pytest.mark.parametrize(("text", "there"), SHOWN.items())
def test_a_text_names_issues_and_people_as_they_are_called_where_it_is_shown(text: str, there: str) -> None:
    a = acme({"ABC-9": "LINE-3"}, users=Words({"anna": "Anna"}))
    g = globex({"LINE-7": "ABC-1"}, users=Words({"a.li": "Anna"}))
    told = a.outward(text)
    assert g.inward(told) == there
    assert g.outward(there) == told  # what was written is no edit
    assert a.inward(told) == text


def test_the_same_is_told_before_and_after_the_issue_has_come() -> None:
    told = acme().outward("see ABC-1")
    before, after = globex(), globex({"LINE-7": "ABC-1"})
    assert before.unknown(told) == {"ABC-1"}
    assert before.inward(told) == "see ABC-1@acme"
    assert after.outward("see ABC-1@acme") == after.outward("see LINE-7") == told
    assert after.unknown(told) == set()


def test_where_both_projects_have_one_key_nobody_is_sent_to_the_wrong_issue() -> None:
    told = acme().outward("ABC-1 and ABC-2")
    there = globex({"ABC-2": "ABC-1"}, project="ABC")  # its ABC-1 is an issue of its own
    assert there.inward(told) == "ABC-2 and ABC-2@acme"
    assert there.outward("ABC-1") != acme().outward("ABC-1")


def test_people_are_mentioned_by_account_where_they_have_one() -> None:
    told = acme(users=Words({"anna": "Anna"})).outward("[~anna] [~w.chen]")
    cloud = globex(users=Words({ACCOUNT: "Anna"}), cloud=True)
    shown = f"[~accountid:{ACCOUNT}] [~w.chen]"  # whoever has no account here is shown by name
    assert cloud.inward(told) == shown
    assert cloud.outward(shown) == told


def test_nobody_is_mentioned_in_place_of_another() -> None:
    there = globex(users=Words({"anna": "Hanna"}))  # their anna is somebody else
    told = acme().outward("[~anna]")
    assert there.inward(told) == "[~anna@acme]"
    assert there.outward("[~anna@acme]") == told


@pytest.mark.parametrize(
    "bad", ["\ufff9", "\ufff9abc\ufffb", f"\ufff9ABC-1\ufffa{'3' * 36}\ufffb", "\ufff9~a]\ufffb", "\ufff9ABC-1"]
)
def test_a_reference_of_no_known_form_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="no known form"):
        globex().inward(f"see {bad}")


@pytest.mark.parametrize("project", ["abc", "AB-C", "a.*"])
def test_keys_of_another_form_stay_as_they_are(project: str) -> None:
    assert acme(project=project).outward(f"see {project}-1") == f"see {project}-1"


def test_people_read_keys_and_names() -> None:
    assert readable(acme().outward("ABC-1, [~anna] \ufff9")) == "ABC-1, [~anna] "


_parts = st.sampled_from(
    [
        "ABC-1",
        "ABC-2",
        "ABC-30",
        "XYZ-1",
        "[~anna]",
        "[~w.chen]",
        "{code}",
        "{noformat}",
        "{code:py}",
        "\ufff9",
        "\ufffa",
        "\ufffb",
        "\\",
        "~",
        "@",
        "acme",
        "-",
        "/",
        ".",
        " ",
        "\n",
        "[",
        "]",
        "1",
        "a",
        "é",
        "@globex",
    ]
)
texts = st.lists(_parts | st.text(max_size=3), max_size=14).map("".join)
known = st.dictionaries(st.sampled_from(["LINE-1", "LINE-2"]), st.sampled_from(["ABC-1", "ABC-2"]), max_size=2).filter(
    lambda pairs: len(set(pairs.values())) == len(pairs)
)
_PEOPLE = Words({"a.li": "anna", "b": "c"})


@given(text=texts)
def test_what_comes_back_is_the_senders_text_to_the_letter(text: str) -> None:
    a = acme({"ABC-30": "LINE-3"})
    assert a.inward(a.outward(text)) == text or "@globex]" in text  # somebody of theirs, who may have a name here, too


@given(text=texts, pairs=known, cloud=st.booleans())
def test_what_is_written_here_is_read_as_it_came(text: str, pairs: dict[str, str], cloud: bool) -> None:
    told = acme({"ABC-30": "LINE-3"}).outward(text)
    there = globex(pairs, users=_PEOPLE, cloud=cloud)
    shown = there.inward(told)
    again = there.outward(shown)
    # who writes an address himself is taken at his word, also of an issue that is nowhere
    assert again == told or "@acme" in text or "@globex" in text
    assert there.inward(again) == shown
