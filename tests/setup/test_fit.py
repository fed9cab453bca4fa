"""What `check` says of contract, mapping and tracker: all that would be refused, all that stays at home, each once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from filesync.agent.asked.fit import Fit, fit
from filesync.model.manner import Markup
from filesync.model.values import FieldKind, FieldSpec
from filesync.trackers.base import Description, Form, Inspected
from filesync.trackers.jira.translate.forms import form
from tests.rules.build import rules
from tests.trackers.jira.shape import catalogue

CONTRACT = """\
version: 1
types: [Bug, Task]
statuses: [Open, Done, Closed, Parked]
users: [jane, joe]
links: [blocks]
fields:
  summary: {kind: text}
  priority: {kind: option, options: [High, Low]}
  due: {kind: date}
  owner: {kind: user}
  cost: {kind: number, from: acme}
  site: {kind: text, from: globex}
"""
ASK = "and the contract has no field for it: take it up there, or have the tracker fill something in"
HAVE = Description(
    name="a tracker",
    fields=(
        FieldSpec("type", FieldKind.TYPE),
        FieldSpec("status", FieldKind.STATUS),
        FieldSpec("summary", FieldKind.TEXT),
        FieldSpec("priority", FieldKind.OPTION, options=("High", "Low")),
        FieldSpec("due", FieldKind.DATE),
        FieldSpec("owner", FieldKind.USER),
        FieldSpec("cost", FieldKind.NUMBER),
        FieldSpec("site", FieldKind.TEXT),
    ),
    types=("Bug", "Task"),
    statuses=("Open", "Done", "Closed", "Parked"),
    users=("jane", "joe"),
    links=("blocks",),
    forms={
        kind: Form(statuses=("Open", "Done", "Closed", "Parked"), unreached=(), takes=None, needs=("type", "summary"))
        for kind in ("Bug", "Task")
    },
)


def held(folder: Path, have: Description, mapping: str | None = None, *, receives: bool = True, sends: bool = True) -> Fit:
    return fit(rules(folder, CONTRACT, mapping), have, us="acme", receives=receives, sends=sends)


def said(found: Fit) -> tuple[list[str], list[str]]:
    return [str(one) for one in found.refused], [str(one) for one in found.notes]


def without(*fields: str) -> tuple[FieldSpec, ...]:
    return tuple(one for one in HAVE.fields if one.name not in fields)


def test_where_everything_fits_nothing_is_said(tmp_path: Path) -> None:
    assert held(tmp_path, HAVE) == Fit(refused=(), notes=(), unknown="")


def test_all_that_would_be_refused_is_told_at_once(tmp_path: Path) -> None:
    bug = Form(statuses=("Open", "Done", "Parked"), unreached=("Parked",), takes=None, needs=("summary", "Team"))
    task = Form(statuses=("Open", "Done", "Closed"), unreached=(), takes=None, needs=("summary",))
    have = replace(HAVE, fields=without("due", "site"), users=("jane",), links=(), forms={"Bug": bug, "Task": task})
    have = replace(have, left_out={"site": "nobody writes it"})
    refused, notes = said(held(tmp_path, have, "users: {j: joe}\n"))
    assert refused == [
        'users: the tracker has no "j"',
        'due: the tracker has no field "due"',
        'site: the tracker\'s field "site" is not carried: nobody writes it',
        "link: the tracker has no links",
        f"Team: the tracker makes no Bug without it, {ASK}",
        'users: nobody in the tracker stands for "joe": say who does under `users` of the mapping',
        'status: no transitions lead an issue to "Parked": add one in the tracker, or map it to another status',
    ]
    assert notes == ['status: "Bug" never comes to "Closed": where the partner\'s does, the status waits here']


def test_that_the_partner_can_make_no_issue_is_a_note_for_that_may_be_meant(tmp_path: Path) -> None:
    have = replace(HAVE, forms={"Bug": Form(statuses=HAVE.statuses, unreached=(), takes=None, needs=("cost", "site"))})
    what = "this site alone tells it, and the tracker makes no issue without it: one that the partner makes is stuck here"
    assert said(held(tmp_path, have)) == ([], [f"cost: {what}"])
    assert said(held(tmp_path, have, 'presets: {cost: "1"}\n')) == ([], [])


def test_a_preset_that_shows_the_partners_key_is_held_against_the_tracker_as_any_other(tmp_path: Path) -> None:
    needs = Form(statuses=HAVE.statuses, unreached=(), takes=None, needs=("theirs",))
    fields = (*HAVE.fields, FieldSpec("theirs", FieldKind.TEXT))
    have = replace(HAVE, fields=fields, forms={"Bug": needs})
    refused, _ = said(held(tmp_path, have, 'presets: {theirs: "{key}", thiers: "{key}"}\n'))
    assert refused == ['presets: the tracker has no field "thiers"; did you mean "theirs"?']


def test_what_nobody_writes_and_would_have_to_be_is_told_with_the_line_that_mends_it(tmp_path: Path) -> None:
    kept = {"due", "site", "cost"}
    own = FieldSpec("made", FieldKind.TEXT, read_only=True)
    fields = tuple(msgspec.structs.replace(one, read_only=one.name in kept) for one in HAVE.fields)
    have = replace(HAVE, fields=(*fields, own))
    out, where = "`due: {field: due, way: out}`", "under `fields` of the mapping"
    assert said(held(tmp_path, have)) == (
        [
            f'due: nobody writes the tracker\'s "due": let it go out alone, by `from: acme` in the contract or {out} {where}',
            f'site: nobody writes the tracker\'s "site": have another field of ours stand for it, by `OURS: site` {where}',
        ],
        [],
    )
    mended = "fields: {due: {field: due, way: out}, summary: site, site: summary}\n"
    assert [one.where for one in held(tmp_path, have, mended).refused] == ["summary"]
    assert held(tmp_path, have, receives=False).refused == ()
    shows = "partner: {fields: {made: '{key}'}}\npresets: {made: x}\n"
    assert [str(one) for one in held(tmp_path, have, shows, receives=True).refused][:2] == [
        'presets: nobody writes the tracker\'s "made"',
        'partner: nobody writes the tracker\'s "made"',
    ]


def test_a_status_that_closes_what_the_partner_deleted_is_held_against_the_tracker(tmp_path: Path) -> None:
    refused, _ = said(held(tmp_path, HAVE, "deletes: {issue: {close: Don, resolution: Gone}}\n"))
    assert refused == [
        'deletes: the tracker has no "Don"; did you mean "Done"?',
        'deletes: the tracker has no resolution "Gone"',
    ]
    assert held(tmp_path, HAVE, "deletes: {issue: {close: Done}}\n").refused == ()


def test_what_issues_are_to_show_of_the_partners_is_held_against_the_tracker(tmp_path: Path) -> None:
    have = replace(HAVE, fields=(*HAVE.fields, FieldSpec("theirs", FieldKind.TEXT), FieldSpec("count", FieldKind.NUMBER)))
    shows = "partner: {fields: {thiers: '{key}', count: '{key}'}, link: 'https://x.example/{key}'}\n"
    refused, _ = said(held(tmp_path, have, shows))
    assert refused == [
        'partner: the tracker has no field "thiers"; did you mean "theirs"?',
        'partner: the tracker\'s "count" holds no text',
        "partner: the tracker has neither web links nor properties of its own: show the key in a field",
    ]
    assert held(tmp_path, replace(have, shows=True), "partner: {fields: {theirs: '{key}'}, property: true}\n").refused == ()


def test_a_field_to_show_the_partners_key_in_that_is_not_for_editing_is_a_note(tmp_path: Path) -> None:
    have = replace(HAVE, fields=(*HAVE.fields, FieldSpec("theirs", FieldKind.TEXT)))
    names = frozenset(spec.name for spec in HAVE.fields)
    seen = Inspected(edits={"Bug": names | {"theirs"}, "Task": names})
    shows = rules(tmp_path, CONTRACT, "partner: {fields: {theirs: '{key}'}}\n")
    refused, notes = said(fit(shows, have, seen, us="acme", receives=True, sends=True))
    assert refused == []
    assert [one for one in notes if one.startswith("partner")] == [
        'partner: "theirs" is on no screen on which "Task" is edited: these show nothing there. Put it on one in the tracker'
    ]


def test_what_stays_at_home_is_a_note(tmp_path: Path) -> None:
    more = FieldSpec("team", FieldKind.TEXT)
    priority = FieldSpec("priority", FieldKind.OPTION, options=("High", "Low", "None"))
    have = replace(
        HAVE,
        fields=(*without("priority"), priority, more),
        types=("Bug", "Task", "Idea"),
        statuses=(*HAVE.statuses, "Lost"),
        users=("jane", "joe", *(f"u{n}" for n in range(12))),
        links=("blocks", "clones"),
    )
    assert said(held(tmp_path, have)) == (
        [],
        [
            'type: the contract has no word for "Idea": the partner can make no issue of it',
            'status: the contract has no word for "Lost": not told, what the partner has stays',
            'priority: the contract has no word for "None": not told, what the partner has stays',
            'users: not in the contract, and never told: "u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9" and 2 more',
            'fields that the contract does not have stay here: "team"',
            'types of links that the contract does not have stay here: "clones"',
        ],
    )


def test_what_never_comes_in_or_never_goes_out_is_not_held_against_the_tracker(tmp_path: Path) -> None:
    bare = replace(HAVE, fields=without("cost"))  # it is ours alone to tell
    assert said(held(tmp_path, bare)) == ([], [])
    assert said(held(tmp_path, replace(bare, fields=without("cost", "due"), users=("jane",)), receives=False)) == ([], [])
    more = replace(HAVE, types=("Bug", "Task", "Idea"))
    assert said(held(tmp_path, more, sends=False)) == ([], [])


def test_what_the_mapping_keeps_to_one_way_or_has_a_default_for_is_no_gap(tmp_path: Path) -> None:
    priority = FieldSpec("priority", FieldKind.OPTION, options=("Low", "None"))
    have = replace(HAVE, fields=(*without("priority"), priority))
    refused, notes = said(held(tmp_path, have))
    assert (len(refused), len(notes)) == (1, 1)
    out = "fields: {priority: {field: priority, way: out}}\n"
    assert said(held(tmp_path, have, out)) == ([], notes)
    into = "fields: {priority: {field: priority, way: in}}\n"
    assert said(held(tmp_path, have, into)) == (refused, [])
    both = "fields: {priority: {field: priority, default: {out: Low, in: Low}}}\n"
    assert said(held(tmp_path, have, both)) == ([], [])


def test_a_word_that_the_mapping_has_wrong_is_told_whichever_way_it_goes(tmp_path: Path) -> None:
    mapping = "types: {Bgu: Bug}\nfields: {duee: due}\nlinks: {block: blocks}\n"
    refused, _ = said(held(tmp_path, HAVE, mapping, receives=False))
    assert refused == [
        'type: the tracker has no "Bgu"; did you mean "Bug"?',
        'due: the tracker has no field "duee"; did you mean "due"?',
        'link: the tracker has no "block"; did you mean "blocks"?',
    ]


def test_where_ways_are_not_told_beforehand_that_is_said(tmp_path: Path) -> None:
    forms = {"Bug": Form(statuses=HAVE.statuses, unreached=None, takes=None, needs=())}
    found = held(tmp_path, replace(HAVE, forms=forms))
    assert (found.refused, found.notes) == ((), ())
    assert found.unknown == "which transitions lead to a status it tells only of single issues"
    assert held(tmp_path, replace(HAVE, forms=forms), receives=False).unknown == ""


def test_a_field_on_no_screen_for_new_issues_is_a_note(tmp_path: Path) -> None:
    every = frozenset(one.name for one in HAVE.fields)
    bug = Form(statuses=HAVE.statuses, unreached=(), takes=every - {"due", "owner", "cost"}, needs=())
    task = Form(statuses=HAVE.statuses, unreached=(), takes=every - {"due"}, needs=())
    assert said(held(tmp_path, replace(HAVE, forms={"Bug": bug, "Task": task})))[1] == [
        "due: is on no screen on which issues are made: it is written afterwards where the screen for editing has it, else it waits",
        'owner: is on no screen on which "Bug" is made: it is written afterwards where the screen for editing has it, else it waits',
    ]


def test_what_is_not_on_a_screen_is_told_with_what_to_do_and_what_nobody_knows_once(tmp_path: Path) -> None:
    names = frozenset(one.name for one in HAVE.fields)
    forms = {
        "Bug": replace(HAVE.forms["Bug"], takes=names - {"due", "cost"}),
        "Task": replace(HAVE.forms["Task"], takes=names - {"due", "site"}),
    }
    seen = Inspected(
        edits={"Bug": names - {"due", "priority"}, "Task": names - {"due", "site", "priority"}},
        few={"role:Staff": "the project has no role"},
        unsure=("this", "that"),
    )
    found = fit(rules(tmp_path, CONTRACT, None), replace(HAVE, forms=forms), seen, us="acme", receives=True, sends=True)
    put = "Put it on one in the tracker, or have a transition set it"
    assert said(found) == (
        ['visibilities: "role:Staff": the project has no role'],
        [
            f"priority: is on no screen on which issues are edited: new ones have it, later changes of it wait. {put}",
            f"due: is on no screen on which issues are made or edited: it waits. {put}",
            f'site: is on no screen on which "Task" is made or edited: it waits. {put}',
        ],
    )
    assert found.unknown == "it does not tell this; it does not tell that"


@pytest.mark.parametrize("cloud", [False, True])
def test_a_jiras_screens_say_what_a_new_issue_takes_and_needs(cloud: bool) -> None:
    found = catalogue(cloud=cloud)
    forms = {name: form(found, one) for name, one in found.types.items()}
    assert forms["Bug"].needs == ("summary",)
    assert forms["Epic"].needs == (("summary", "Epic Name") if cloud else ("summary",))  # Data Center's is the summary
    assert forms["Sub-task"].takes is not None
    assert {"type", "status", "parent", "summary", "original_estimate"} <= forms["Sub-task"].takes
    assert not {"resolution", "Occurred at"} & forms["Sub-task"].takes
    assert forms["Bug"].unreached is None


def test_users_who_show_no_address_are_counted_where_they_are_to_go_by_it(tmp_path: Path) -> None:
    have = replace(HAVE, unaddressed=2)
    note = "users: 2 of the users that the tracker lists show us no e-mail address: they go by their names"
    assert note in said(held(tmp_path, have, "users_by: email\n"))[1]
    assert note not in said(held(tmp_path, have, "users_by: name\n"))[1]
    assert note not in said(held(tmp_path, have, "users_by: email\n", sends=False))[1]


@pytest.mark.parametrize(("agreed", "notes"), [("", []), ("markup: plain\n", []), ("markup: wiki\n", ["markup"])])
def test_that_texts_are_written_otherwise_than_the_tracker_shows_them_is_noted_once(
    tmp_path: Path, agreed: str, notes: list[str]
) -> None:
    found = fit(rules(tmp_path, CONTRACT + agreed), HAVE, us="acme", receives=True, sends=True)
    assert [one.where for one in found.notes if one.where == "markup"] == notes
    jira = fit(rules(tmp_path, CONTRACT + agreed), replace(HAVE, markup=Markup.WIKI), us="acme", receives=True, sends=True)
    assert ("markup" in [one.where for one in jira.notes]) == ("plain" in agreed)
