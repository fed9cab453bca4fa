"""Texts with headings, lists and tables between a Data Center, which keeps wiki markup, and a Cloud, which keeps documents."""

from __future__ import annotations

from tests.support.jira.documents import document, wiki
from tests.support.jira.records import Json
from tests.support.jira.site import CLOUD, DC10
from tests.support.jira_sides import JiraSide, two_trackers, writes
from tests.support.two_sites import World
from tests.trackers.jira.test_exchange import gid_of, key_of

TYPED = """h2. What happened
The *pump* stalls, _always_ at 7 bar: see {{pump.log}} and [the drawing|https://x.example/7].
* it hums
** and is *hot*
- it stops
bq. said Anna
||Part||State||
|Seal|*worn*|
{code:java}
int x = a*b*c;
{code}"""
MADE_OF = ["heading", "paragraph", "bulletList", "blockquote", "table", "codeBlock"]


def quiet(world: World) -> None:
    """All arrives in a few rounds, and then another tells nothing and writes nothing in either Jira."""
    for _ in range(3):
        world.clock.advance(minutes=5)
        world.round()
    for side in world.sides:
        assert isinstance(side, JiraSide)
        side.jira.forget_requests()
    world.clock.advance(minutes=5)
    assert world.round() == 0
    assert [one for side in world.sides for one in writes(side)] == []


def made_of(text: str) -> list[str]:
    return [one["type"] for one in document(text)["content"]]


def kept(text: str) -> str:
    """As it was typed: a Data Center keeps other line ends."""
    return text.replace("\r\n", "\n")


def bold(doc: Json, word: str) -> str:
    """The document with a paragraph more, of one bold word, as the editor of a Cloud keeps it."""
    said = {"type": "text", "text": word, "marks": [{"type": "strong"}]}
    return wiki({**doc, "content": [{"type": "paragraph", "content": [said]}, *doc["content"]]})


def test_a_text_formatted_in_a_data_center_is_formatted_in_a_cloud_and_back_and_nothing_travels_twice() -> None:
    with two_trackers((DC10, CLOUD)) as world:
        acme, globex = world.acme, world.globex
        assert isinstance(acme, JiraSide)
        assert isinstance(globex, JiraSide)
        globex.jira.faults.wiki_round_trip = True
        key = acme.desk.create("Bug", "one", {"description": TYPED})
        acme.desk.comment(key, TYPED)
        acme.desk.comment(key, "* a list\n* at once")
        quiet(world)
        gid = gid_of(acme, key)
        local = key_of(globex, gid)
        ours, theirs = acme.jira.store.issues[key], globex.jira.store.issues[local]
        there = theirs.values["description"]
        assert (made_of(there), kept(ours.values["description"])) == (MADE_OF, TYPED)
        assert there != TYPED, "the same to people, and not to the letter"
        assert {"type": "text", "text": "pump", "marks": [{"type": "strong"}]} in document(there)["content"][1]["content"]
        assert [made_of(one.body) for one in theirs.comments] == [["paragraph", *MADE_OF], ["paragraph", "bulletList"]]

        globex.desk.edit(local, {"description": bold(document(there), "Mended")})
        for one in theirs.comments:
            globex.desk.edit_comment(local, one.id, f"{one.body}\n\n*So*")
        quiet(world)
        assert kept(ours.values["description"]).startswith("*Mended*\n\nh2. What happened\n\nThe *pump*")
        assert made_of(ours.values["description"]) == ["paragraph", *MADE_OF]
        acme.desk.edit(key, {"description": f"h1. All of it\n{ours.values['description']}"})
        quiet(world)
        assert made_of(theirs.values["description"]) == ["heading", "paragraph", *MADE_OF]
        assert [kept(one.body) for one in ours.comments] == [f"{wiki(document(TYPED))}\n\n*So*", "* a list\n* at once\n\n*So*"]
