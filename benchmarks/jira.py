"""How many requests a Jira is asked, beside a plain loop over the public `jira` client that does the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jira import JIRA

from benchmarks.figure import Figure, Mark, spent
from benchmarks.material import STAMP
from benchmarks.scene import EXCHANGE, pair_of_sites
from benchmarks.simulated import COMMENTS, Simulated, asked, edit_one, fill, made, simulated, slow
from benchmarks.tracker import MemoryTracker
from filesync.agent.incoming.importer import import_once
from filesync.agent.outgoing.exporter import export_once
from filesync.agent.site import Site
from filesync.config import load_config
from filesync.model.ids import Kind
from filesync.model.issue import About, Issue, Item, Ref
from filesync.model.values import Value
from tests.support.jira.flavours import CLOUD, DC10

ISSUES, SMALL = 10_000, 100  # that are exported
NEW, SMALL_NEW = 2_000, 20  # that are imported
LATE, SMALL_LATE = 400, 8  # the same, with latency
PLAIN: Final = 10  # the plain loop is given one in so many
LATENCY: Final = 0.05  # seconds
WORKERS: Final = 8
CONTRACT: Final = """\
version: 1
winner: first
deletes: {issue: mark, comment: mirror, attachment: mirror, worklog: mirror}
types: [Epic, Story, Bug, Task, Sub-task]
statuses: [To Do, In Progress, In Review, Blocked, Done, Won't Do]
users: any
comments: true
attachments: true
worklogs: true
links: []
fields:
  summary: {kind: text}
  description: {kind: text}
  priority: {kind: option, options: [Highest, High, Medium, Low, Lowest]}
  labels: {kind: label, many: true}
  due: {kind: date}
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A simulated Jira with a site beside it, and that site's partner, whose tracker is in memory."""

    jira: Simulated
    name: str
    site: Site
    partner: Site
    memory: MemoryTracker
    opening: int  # requests that it takes to open the site


def run(folder: Path, *, small: bool) -> list[Figure]:
    figures = []
    for flavour in (DC10, CLOUD):
        with simulated(flavour) as jira:
            jira.do(fill, SMALL if small else ISSUES)
            with _scene(folder / flavour.name, jira) as one:
                figures += _exports(one, SMALL if small else ISSUES)
                figures += _imports(one, SMALL_NEW if small else NEW)
                figures += _latency(one, SMALL_LATE if small else LATE)
    return figures


# ── out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _exports(one: Scene, issues: int) -> list[Figure]:
    jira, name = one.jira, one.name
    plain = _plain_export(jira, issues)
    with spent() as taken:
        assert export_once(one.site, EXCHANGE).changes == issues * (1 + COMMENTS)
    first = jira.do(asked)
    assert export_once(one.site, EXCHANGE).changes == 0
    nothing = jira.do(asked, "none")
    edited = jira.do(edit_one)
    assert export_once(one.site, EXCHANGE).changes == 1
    changed = jira.do(asked, edited)
    what = f"{issues:,} issues with {COMMENTS} comments each; the plain loop: their ids, then each by itself"
    more = {"requests to open the site": float(one.opening), "issues a second": issues / taken.wall}
    return [
        Figure(
            name=f"{name}, first export",
            what=what,
            value=first.total(),
            unit="requests",
            mark=Mark(limit=issues / 50),
            more={"requests of the plain loop": plain, **more, **_each(first)},
        ),
        _poll(f"{name}, a poll that finds nothing", nothing, limit=2),
        _poll(f"{name}, one changed issue", changed, limit=4),
    ]


def _poll(name: str, found: Counter[str], *, limit: int) -> Figure:
    swept = sum(count for what, count in found.items() if what.startswith("sweep: "))
    return Figure(
        name=name,
        what="an export of what changed; without the requests of the sweep, which looks at one issue in fifty",
        value=found.total() - swept,
        unit="requests",
        mark=Mark(limit=limit),
        more={"requests of the plain loop": 1.0, **_each(found)},
    )


def _plain_export(jira: Simulated, issues: int) -> float:
    """The requests that it takes, reckoned from one in ten of the issues."""
    client = _client(jira)
    jira.do(asked)
    found = client.search_issues("project = ABC ORDER BY created", maxResults=False, fields="summary")
    assert len(found) == issues
    searching = jira.do(asked).total()
    for one in found[::PLAIN]:
        assert len(client.issue(one.id).fields.comment.comments) == COMMENTS
    client.close()
    return float(searching + jira.do(asked).total() * PLAIN)


# ── in ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _imports(one: Scene, issues: int) -> list[Figure]:
    plain = _plain_import(one.jira, max(1, issues // PLAIN))
    found, taken = _import(one, issues)
    return [
        Figure(
            name=f"{one.name}, new issues",
            what=f"an import of {issues:,} new issues with {COMMENTS} comments and a transition each",
            value=found.total() / issues,
            unit="requests an issue",
            mark=Mark(limit=6),
            more={"requests an issue of the plain loop": plain, "issues a second": issues / taken, **_each(found)},
        )
    ]


def _latency(one: Scene, issues: int) -> list[Figure]:
    one.jira.do(slow, LATENCY)
    found, taken = _import(one, issues)
    best = found.total() * LATENCY / WORKERS
    return [
        Figure(
            name=f"{one.name}, with latency",
            what=f"an import of {issues:,} such issues by {WORKERS} workers, {LATENCY * 1000:.0f} ms an answer, without pacing",
            value=issues / taken,
            unit="issues/s",
            peer="if nothing took time but the answers",
            peer_value=issues / best,
            mark=Mark(limit=0.75, at_least=True),
            more={"requests": float(found.total()), "seconds": taken},
        )
    ]


def _import(one: Scene, issues: int) -> tuple[Counter[str], float]:
    """What was asked to import so many, and the seconds that it took."""
    jira, before = one.jira, one.jira.do(made)
    for n in range(len(one.memory.issues), len(one.memory.issues) + issues):
        one.memory.add(_told(n))
    assert export_once(one.partner, EXCHANGE).changes == issues * (1 + COMMENTS)
    for file in one.partner.config.folders.outbox.iterdir():
        file.rename(one.site.config.folders.inbox / file.name)
    jira.do(asked)
    with spent() as taken:
        done = import_once(one.site, EXCHANGE)
    assert (done.counts.applied, done.queued) == (issues * (1 + COMMENTS), 0)
    found = jira.do(asked)
    assert [now - then for now, then in zip(jira.do(made), before, strict=True)] == [issues, issues, issues * COMMENTS]
    return found, taken.wall


def _told(n: int) -> Issue:
    """The n-th issue as its own tracker shows it."""
    fields: dict[str, Value] = {
        "type": "Bug",
        "status": "In Progress",
        "summary": f"Pump {n} stalls",
        "description": f"It stalls at {n} bar.",
        "priority": "High",
        "labels:shared": True,
    }
    about = About(key=f"MEM-{n}", author="m.silva", at="2026-11-23T10:00:00.000Z")
    item = Item(ref=Ref(Kind.ISSUE, str(n), str(n)), stamp=STAMP, origin=None, fields=fields, about=about)
    said = [
        Item(
            ref=Ref(Kind.COMMENT, str(n), f"{n}{place}"),
            stamp=STAMP,
            origin=None,
            fields={"body": f"Seen {place} times."},
            about=about,
        )
        for place in range(COMMENTS)
    ]
    return Issue(item=item, children=tuple(said), key=about.key)


def _plain_import(jira: Simulated, issues: int) -> float:
    """The requests that each takes."""
    client = _client(jira)
    jira.do(asked)
    for n in range(issues):
        given = {"project": {"key": "ABC"}, "issuetype": {"name": "Bug"}, "summary": f"Pump {n} stalls", "labels": ["shared"]}
        issue = client.create_issue(fields={**given, "priority": {"name": "High"}, "description": f"It stalls at {n} bar."})
        client.transition_issue(issue, "Start")
        for place in range(COMMENTS):
            client.add_comment(issue, f"Seen {place} times.")
    client.close()
    return jira.do(asked).total() / issues


# ── both ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _client(jira: Simulated) -> Any:  # half of it has types
    secret: dict[str, Any] = {"basic_auth": (jira.email, jira.token)} if jira.flavour.cloud else {"token_auth": jira.token}
    return JIRA(server=jira.url, max_retries=0, **secret)


def _each(found: Counter[str]) -> dict[str, float]:
    return {what: float(count) for what, count in found.most_common(8)}


@contextmanager
def _scene(folder: Path, jira: Simulated) -> Iterator[Scene]:
    with pair_of_sites(folder, encrypt=False, settings={"workers: 4 ": f"workers: {WORKERS} "}) as (site, partner):
        for one in (site, partner):
            one.config.path.with_name("contract.yaml").write_text(CONTRACT, encoding="utf-8")
        memory = MemoryTracker()
        partner.tracker.close()
        partner.tracker = memory
        site.close()
        _settle(site, jira)
        jira.do(asked)
        with Site.open(load_config(site.config.path)) as opened:
            name = "Jira Cloud" if jira.flavour.cloud else "Jira Data Center"
            yield Scene(jira, name, opened, partner, memory, jira.do(asked).total())


def _settle(site: Site, jira: Simulated) -> None:
    """Have a site's configuration name the simulated Jira."""
    path = site.config.path
    token = path.parent / "keys" / "jira-token"
    token.touch(mode=0o600)
    token.write_text(f"{jira.token}\n", encoding="utf-8")
    lines = [f"url: {jira.url}", "token_file: keys/jira-token", "requests_per_second: 10000"]
    if jira.flavour.cloud:
        lines.append(f"user: {jira.email}")
    kind = "jira-cloud" if jira.flavour.cloud else "jira-dc"
    told = f"  kind: {kind}\n  project: ABC\n  settings:\n" + "".join(f"    {line}\n" for line in lines)
    text, found = re.subn(r'(?s)  kind: "embedded"\n.*?\n\n', lambda _: f"{told}\n", path.read_text(encoding="utf-8"))
    assert found == 1
    path.write_text(text, encoding="utf-8")
