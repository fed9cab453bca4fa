"""Web links of an issue, which Jira keeps apart from its fields, as one of them: `https://x.example/7 What it says`. Pure.

Jira calls them remote links. Those that an application keeps (a page of Confluence, an issue of another Jira) are not ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from filesync.model.values import FieldKind
from filesync.trackers.jira.translate.offered import JiraField
from filesync.trackers.jira.translate.shapes import Shape, member

NAME: Final = "web_links"
ID: Final = "remotelinks"  # no field of Jira's is called so: what is read of them stands under it
FIELD: Final = JiraField(id=ID, name=NAME, label="Web links", shape=Shape.WEB, kind=FieldKind.TEXT, many=True)
_LONGEST: Final = 2_000  # characters of an address
_TITLE: Final = 255


def links_of(answer: object) -> Iterator[Mapping[str, Any]]:
    """The web links among the remote links that Jira tells of an issue. Raises ValueError."""
    if not isinstance(answer, list):
        raise ValueError("not a list of links")  # noqa: TRY004 - what came from outside, not a programming fault
    for one in answer:
        kept = one.get("application") if isinstance(one, Mapping) else None
        if not isinstance(kept, Mapping) or not kept.get("type"):
            member(one, "id")
            yield one


def link_json(element: str) -> dict[str, Any]:
    """What makes a link, once, however often it is sent. Raises ValueError with words for a person."""
    url, _, title = element.partition(" ")
    if "://" not in url and not url.startswith("mailto:"):
        raise ValueError("a web link is an address, as https://x.example/7, and perhaps a blank and what it says")
    if len(url) > _LONGEST or len(title) > _TITLE:
        raise ValueError(f"the address has at most {_LONGEST:,} characters, and what it says {_TITLE}")
    if " ".join(title.split()) != title:
        raise ValueError("what a web link says is one line, with one blank between words")
    once = hashlib.sha256(element.encode()).hexdigest()
    return {"globalId": f"filesync-{once}", "object": {"url": url, "title": title or url}}


def partner_json(partner: str, key: str, url: str) -> dict[str, Any]:
    """A link of our own to the partner's issue, of which there is one: never among the web links that travel."""
    application = {"type": "filesync", "name": "filesync"}
    return {
        "globalId": f"filesync-partner-{partner}",
        "application": application,
        "object": {"url": url, "title": f"{key}@{partner}"},
    }
