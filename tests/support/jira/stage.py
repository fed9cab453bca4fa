"""Two simulated Jiras for a story in a terminal: `python -m tests.support.jira.stage FILE ISSUES`.

acme's is a Data Center with the first forty of ISSUES in it, globex's is on Cloud and empty; neither calls anything as the other
does (samples/jira/supplier-customer), and what globex may see has the label `globex` at acme, all but the largest plans. FILE says where both are and how to
reach whoever plays the people there (`tools/people.py`). They end with the process that started them.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Listener
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from tests.support.jira.clock import iso
from tests.support.jira.filling import ToldClock, fill_jira
from tests.support.jira.organisations import WORDS
from tests.support.jira.records import Issue, Json, Refusal
from tests.support.jira.renamed import rename
from tests.support.jira.server import ASKING
from tests.support.jira.site import CLOUD, DC10, JiraSite

COUNT: Final = 40
MANY: Final = 1_000_000
PROJECTS: Final = {"acme": "ABC", "globex": "XYZ"}


class People:
    """What is typed for the people of one Jira. Each verb answers what it shows; words it does not know raise ValueError."""

    def __init__(self, site: JiraSite, project: str) -> None:
        self._site, self._project = site, project
        self._verbs: dict[str, Callable[..., str]] = {
            "find": self._find,
            "show": self._show,
            "edit": self._edit,
            "comment": self._comment,
            "transition": self._transition,
            "attach": self._attach,
            "link": self._link,
            "busy": self._busy,
            "requests": self._requests,
        }

    def do(self, words: list[str]) -> str:
        """A verb and its words; `--as USER` says who does it."""
        verb, *rest = words
        who = "a.lindqvist"
        if "--as" in rest:
            at = rest.index("--as")
            who = rest[at + 1]
            rest[at : at + 2] = []
        if verb not in self._verbs:
            raise ValueError(f"there is no {verb!r}: {', '.join(self._verbs)}")
        return self._verbs[verb](*rest, **({"who": who} if "--as" in words else {}))

    def _issue(self, key: str) -> Issue:
        found = self._site.store.by_key(key)
        if found is None:
            raise ValueError(f"there is no issue {key!r}")
        return found

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _find(self, text: str) -> str:
        """Key, status and summary of each issue whose summary holds the text."""
        store = self._site.store
        there = [one for one in store.issues.values() if one.key.startswith(f"{self._project}-")]
        return "".join(
            f"{one.key}\t{store.statuses[one.status].name}\t{one.values['summary']}\n"
            for one in there
            if text in one.values["summary"]
        )

    def _show(self, key: str) -> str:
        store, issue = self._site.store, self._issue(key)
        priority = next((one.name for one in store.priorities if one.id == issue.values.get("priority")), "-")
        lines = [f"{issue.key}  {issue.values['summary']}"]
        lines += [f"  {store.types[issue.type].name}, {store.statuses[issue.status].name}, priority {priority}"]
        for link in store.links_of(issue.id):
            kind = next(one for one in store.link_types if one.id == link.type)
            words, other = (kind.outward, link.target) if link.source == issue.id else (kind.inward, link.source)
            lines.append(f"  {words} {store.issues[other].key}")
        lines += [f"  attached: {one.name} ({one.size} bytes)" for one in issue.attachments]
        for comment in issue.comments:
            said = " ".join(comment.body.split())
            lines.append(f"  {iso(comment.created, 'UTC')[:16]} {store.users[comment.author].display}: {said}")
        return "\n".join(lines) + "\n"

    # ── working ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _edit(self, key: str, *fields: str, who: str = "a.lindqvist") -> str:
        given = dict(field.split("=", 1) for field in fields)
        self._site.person(who).edit(self._issue(key).id, given)
        return ""

    def _comment(self, key: str, text: str, *, who: str = "a.lindqvist") -> str:
        self._site.person(who).comment(self._issue(key).id, text)
        return ""

    def _transition(self, key: str, *statuses: str, who: str = "a.lindqvist") -> str:
        for status in statuses:
            self._site.person(who).transition(self._issue(key).id, status)
        return ""

    def _attach(self, key: str, name: str, text: str, *, who: str = "a.lindqvist") -> str:
        self._site.person(who).attach(self._issue(key).id, name, text.encode())
        return ""

    def _link(self, key: str, link_type: str, other: str, *, who: str = "a.lindqvist") -> str:
        self._site.person(who).link(self._issue(key).id, link_type, self._issue(other).id)
        return ""

    # ── what the site itself does ───────────────────────────────────────────────────────────────────────────────

    def _busy(self, retry_after: str, path: str = "") -> str:
        """Requests whose path holds this are answered 503 with this Retry-After; `no` ends it."""
        self._site.faults.disarm()
        if retry_after != "no":
            self._site.faults.refuse(503, retry_after=retry_after, path=path, times=MANY)
        return ""

    def _requests(self) -> str:
        """How many there were since this was asked last."""
        seen = self._site.requests()
        self._site.forget_requests()
        writes = sum(one.method != "GET" and not one.path.endswith(tuple(f"/{name}" for name in ASKING)) for one in seen)
        return f"{len(seen) - writes} requests that read, {writes} that write\n"


def answer(people: dict[str, People], words: list[str]) -> tuple[int, str]:
    """A status and what is shown."""
    try:
        who, *rest = words
        return 0, people[who].do(rest)
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, Refusal) as error:
        return 1, f"{type(error).__name__}: {error}\n"


def listen(listener: Listener, people: dict[str, People]) -> None:
    """Answer whoever plays the people, one after the other."""
    while True:
        with listener.accept() as connection:
            connection.send(answer(people, connection.recv()))


def main(file: str, issues: str) -> None:
    """Serve both until the process that started this one ends, or this one is told to."""
    parent, ended = os.getppid(), Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    clocks = {name: ToldClock() for name in PROJECTS}
    key = secrets.token_hex(16)
    with ExitStack() as stack:
        flavours = {"acme": DC10, "globex": CLOUD}
        sites = {name: stack.enter_context(JiraSite(flavours[name], clock=clocks[name])) for name in PROJECTS}
        fill_jira(sites["acme"], clocks["acme"], Path(issues), count=COUNT)
        _label(sites["acme"])
        for name, site in sites.items():
            rename(site, WORDS[name])
        listener = stack.enter_context(Listener(("127.0.0.1", 0), authkey=key.encode()))
        people = {name: People(site, PROJECTS[name]) for name, site in sites.items()}
        Thread(target=listen, args=(listener, people), daemon=True).start()
        told: dict[str, Any] = {"address": listener.address, "key": key}
        told |= {name: _access(site) for name, site in sites.items()}
        made = Path(f"{file}.new")
        made.write_text(json.dumps(told))
        made.rename(file)
        while os.getppid() == parent and not ended.wait(0.2):
            pass


def _label(site: JiraSite) -> None:
    """Somebody says which issues are globex's business."""
    for issue in list(site.store.issues.values()):
        small = site.store.types[issue.type].name != "Epic"
        site.person("a.lindqvist").edit(issue.id, {"labels:globex": True if small else None})


def _access(site: JiraSite) -> Json:
    return {"url": site.url, "user": site.email if site.flavour.cloud else site.user, "token": site.token}


if __name__ == "__main__":
    main(*sys.argv[1:])
