"""The versions of a project: read in one call, made and edited in one each.

A name is there once in a project. So a version that is there when it is to be made is the one that was meant, whoever made
it: a person, `create_missing`, or a call of ours of which nobody knows whether it went through.
"""

from __future__ import annotations

from collections.abc import Iterable

from filesync.bundle.verdict import shown
from filesync.errors import Gone, Rejected
from filesync.model.ids import Kind
from filesync.model.issue import Issue, Item, Ref
from filesync.model.values import Flat
from filesync.model.versions import LISTS, NAME
from filesync.settings import quoted
from filesync.trackers.base import Born, Draft
from filesync.trackers.jira.project import Project, same_name, strange
from filesync.trackers.jira.read.cursor import is_id
from filesync.trackers.jira.rest.answers import Unknown
from filesync.trackers.jira.rest.dialect import API
from filesync.trackers.jira.translate import versions
from filesync.trackers.jira.translate.refused import refusal


class Versions:
    """Those of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def shown(self) -> Issue:
        """The project, with its versions. Raises Unavailable."""
        holder = Item(ref=Ref(Kind.PROJECT, LISTS, LISTS), stamp="0", origin=None, fields={})
        return Issue(item=holder, children=tuple(self._listed()))

    def create(self, draft: Draft) -> Born:
        """Make it, or take the one of its name. Raises Rejected, Unavailable."""
        name = str(draft.fields.get(NAME, ""))
        if wrong := versions.problems({NAME: name, **draft.fields}):
            raise refusal(f"the version {shown(name)}", wrong)
        of = {"projectId": int(self._project.catalogue.project)}
        try:
            answer = self._project.http.send("POST", f"{API}/version", body={**versions.body(draft.fields), **of})
        except (Rejected, Unknown) as error:
            listed = self._listed() if isinstance(error, Unknown) or NAME in error.fields else []  # else it is not the name
            if (there := _named(listed, name)) is not None:
                self._project.has_version(name)
                return Born(item=there, key=name, again=True)
            if isinstance(error, Rejected):
                raise self._refusal(name, error, near=_near(listed, name)) from error
            raise
        made = self._read(answer) or _named(self._listed(), name)
        if made is None:
            raise strange(f"the version {shown(name)}")
        self._project.has_version(name)
        return Born(item=made, key=name)

    def write(self, ref: Ref, fields: Flat) -> Flat:
        """Set these fields of a version. Raises Gone, Rejected, Unavailable."""
        if not is_id(ref.local):
            raise Gone(_gone(ref))
        if NAME in fields:
            raise refusal("the edit of a version", {NAME: "a version is known by its name: make another one"})
        if wrong := versions.problems(fields):
            raise refusal("the edit of a version", wrong)
        path = f"{API}/version/{ref.local}"
        try:
            answer = self._project.http.send("PUT", path, body=versions.body(fields), gone=_gone(ref), idempotent=True)
        except Rejected as error:
            raise self._refusal(ref.local, error) from error
        made = self._read(answer) or next((one for one in self._listed() if one.ref == ref), None)
        if made is None:
            raise Gone(_gone(ref))
        return {name: made.fields.get(name) for name in fields}

    def _listed(self) -> list[Item]:
        project = self._project.catalogue
        path = f"{API}/project/{project.project}/versions"
        try:
            with self._project.gone_is_gone():
                answer = self._project.http.get(path, gone=f"the project {project.key} is gone")
        except (Gone, Rejected) as error:
            raise strange("the versions of the project") from error
        found = [self._read(one) for one in answer] if isinstance(answer, list) else [None]
        listed = [one for one in found if one is not None]
        if len(listed) < len(found):
            raise strange("the versions of the project")
        return listed

    @staticmethod
    def _read(answer: object) -> Item | None:
        try:
            return versions.item(answer)
        except ValueError:
            return None

    def _refusal(self, name: str, error: Rejected, *, near: str = "") -> Rejected:
        said = versions.refused(error.fields)
        if near:
            return refusal(f"the version {shown(name)}", {**said, NAME: f"there is {quoted(near)}: rename one of the two"})
        what = f"the version {shown(name)}"
        hint = error.hint or "May our account administer the project? Versions need that."
        return refusal(what, said, hint=hint) if said else Rejected(f"{what} is refused: {error}", hint=hint)


def _named(listed: Iterable[Item], name: str) -> Item | None:
    return next((one for one in listed if one.fields[NAME] == name), None)


def _near(listed: Iterable[Item], name: str) -> str:
    """The name of the one that people, and Jira, take for the same; "" for none."""
    names = (str(one.fields[NAME]) for one in listed)
    return next((one for one in names if same_name(one, name)), "")


def _gone(ref: Ref) -> str:
    return f"version {shown(ref.local, limit=20)} is gone"
