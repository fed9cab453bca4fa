"""What is sent to Jira to write the fields of an issue: flat canonical values to the bodies of POST and PUT. Pure.

All that is wrong is found before anything is sent, and said by field in words for a person. What only Jira knows (a user, a
right, a rule of the workflow) is left for it to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.model.ids import Kind
from filesync.model.issue import RESTRICTION
from filesync.model.links import LINK, link_parts
from filesync.model.manner import files_shown
from filesync.model.values import FieldKind, Flat, Value, flat_name, normal, split_name
from filesync.settings import did_you_mean, quoted
from filesync.trackers.jira.translate import overflow, shapes, text, watchers, webs
from filesync.trackers.jira.translate.catalogue import Catalogue, IssueType
from filesync.trackers.jira.translate.offered import ESTIMATES, JiraField
from filesync.trackers.jira.translate.shapes import Shape

_SHOWN: Final = 60  # characters of a foreign word in a message
_FEW: Final = 12  # choices that are named where none is near
_MINUTE: Final = 60
_LISTED: Final = (FieldKind.OPTION, FieldKind.VERSION, FieldKind.COMPONENT, FieldKind.TYPE)
_WHO_SEES: Final = RESTRICTION[Kind.ISSUE]
_NEVER_EMPTY: Final = (FieldKind.TYPE, FieldKind.STATUS)


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent to write fields: `fields` and `update` of a POST or PUT, and apart from them `links`, `webs`, `watchers`.

    `long`: texts for which there is no room, by flat name: they are not in `fields`. `refused`: why not, by flat name; then
    nothing is to be sent. `absent`: flat names of fields that an issue is not made with, or not as they are, because the type's
    screen does not have them or the text is long: they are written after the issue has been made.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    update: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)  # flat name: make it, or take it away
    webs: dict[str, bool] = field(default_factory=dict)  # web link: the same
    watchers: dict[str, bool] = field(default_factory=dict)  # user: the same
    long: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


def create_body(catalogue: Catalogue, fields: Flat, *, key_of: Callable[[str], str | None]) -> Body:
    """What makes an issue with these fields. `key_of` gives the key of an issue by its id; None: there is none."""
    given = {name: value for name, value in fields.items() if value is not None}
    issue_type = catalogue.types.get(str(given.get("type")))
    absent = tuple(name for name in given if not _on_screen(catalogue, issue_type, split_name(name)[0]))
    writer = _Writer(catalogue, Body(absent=absent), before={}, issue_type=issue_type, key_of=key_of, own="")
    writer.body.fields["project"] = {"id": catalogue.project}
    writer.take({name: value for name, value in given.items() if name not in absent})
    if "summary" not in fields:
        writer.body.refused["summary"] = "is required"
    if "type" not in fields:
        writer.body.refused["type"] = "is required"
    epic_name = issue_type.screen.get(catalogue.epic_name) if issue_type is not None and issue_type.screen else None
    if epic_name is not None and epic_name.required and not epic_name.default and catalogue.epic_name not in writer.body.fields:
        # Data Center makes no epic without a name, and elsewhere there is none
        writer.body.fields[catalogue.epic_name] = writer.body.fields.get("summary")
    for name, whole in writer.body.long.items():
        writer.body.fields[catalogue.by_name[name].id] = overflow.beginning(whole, limit=catalogue.text_limit)
    return replace(writer.body, absent=(*absent, *writer.body.long))


def edit_body(
    catalogue: Catalogue, fields: Flat, *, issue: str, before: Mapping[str, Value], key_of: Callable[[str], str | None]
) -> Body:
    """What changes these fields of an issue that has the flat fields `before`; those that are so already are left out.

    Cloud finds the files that a text shows when it is written: such a text may read the same and not be so.
    """
    issue_type = catalogue.types.get(str(fields.get("type") or before.get("type")))
    writer = _Writer(catalogue, Body(), before=before, issue_type=issue_type, key_of=key_of, own=issue)
    anew = {name for name, value in fields.items() if catalogue.cloud and isinstance(value, str) and files_shown(value)}
    writer.take({name: value for name, value in fields.items() if name in anew or value != before.get(name)})
    return writer.body


def unknown_entries(catalogue: Catalogue, fields: Flat) -> dict[FieldKind, tuple[str, ...]]:
    """The versions and components in these fields that the project does not have (yet)."""
    found: dict[FieldKind, list[str]] = {FieldKind.VERSION: [], FieldKind.COMPONENT: []}
    for flat, value in fields.items():
        name, element = split_name(flat)
        one = catalogue.by_name.get(name)
        entry = element if one is not None and one.many and value is True else value
        if one is not None and one.kind in found and isinstance(entry, str) and entry not in one.options:
            found[one.kind].append(entry)
    return {kind: tuple(dict.fromkeys(names)) for kind, names in found.items() if names}


def unknown_sprints(catalogue: Catalogue, fields: Flat) -> dict[str, str]:
    """The sprints in these fields of which the project has none that is open (yet), by flat name."""
    return {
        flat: value
        for flat, value in fields.items()
        if isinstance(value, str)
        and value
        and flat in catalogue.by_name
        and catalogue.by_name[flat].shape is Shape.SPRINT
        and value not in catalogue.sprints.ids
    }


def refused_names(catalogue: Catalogue, errors: Mapping[str, str], fields: Flat) -> dict[str, str]:
    """Jira's refusals by our flat names of what was written; what it says of other fields stands under Jira's names."""
    found: dict[str, str] = {}
    for id_, why in errors.items():
        names = catalogue.names_of(id_)
        written = [flat for flat in fields if split_name(flat)[0] in names]
        found.update(dict.fromkeys(written or names[:1] or (id_,), why))
    return found


def _on_screen(catalogue: Catalogue, issue_type: IssueType | None, name: str) -> bool:
    """Whether a field can be given when an issue is made; what nobody knows is left for Jira to judge.

    Who may see an issue is said when it is made or never: until it were written, all would see it.
    """
    one = catalogue.by_name.get(name)
    if one is not None and (one.shape is Shape.WEB or one.read_only):
        return False
    if one is None or issue_type is None or issue_type.screen is None or one.kind is FieldKind.TYPE or name == _WHO_SEES:
        return True
    if one.kind is FieldKind.PARENT:
        return issue_type.subtask or not catalogue.epic_link or catalogue.epic_link in issue_type.screen
    return one.id in issue_type.screen


class _Writer:
    """Fills a body field by field, and collects what is refused."""

    def __init__(
        self,
        catalogue: Catalogue,
        body: Body,
        *,
        before: Mapping[str, Value],
        issue_type: IssueType | None,
        key_of: Callable[[str], str | None],
        own: str,
    ) -> None:
        self.body = body
        self._catalogue, self._before, self._type = catalogue, before, issue_type
        self._key_of, self._own = key_of, own

    def take(self, fields: Flat) -> None:
        """Every field that can be written, and why the others cannot."""
        sets: dict[str, dict[str, bool]] = {}
        for flat, value in fields.items():
            name, element = split_name(flat)
            try:
                if name == LINK:
                    self._link(flat, value)
                elif element is None:
                    self._plain(self._field(name, many=False), value)
                else:
                    self._element(self._field(name, many=True), element, value)
                    sets.setdefault(name, {})[element] = value is True
            except ValueError as error:
                self.body.refused[flat] = str(error)
        for name, elements in sets.items():
            self._set(self._catalogue.by_name[name], elements)

    def _field(self, name: str, *, many: bool) -> JiraField:
        one = self._catalogue.by_name.get(name)
        if one is None:
            raise ValueError(f"there is no field {quoted(name)}{did_you_mean(name[:_SHOWN], self._catalogue.by_name)}")
        if one.read_only:
            raise ValueError("Jira or an app keeps it itself: nobody writes it")
        if one.many and not many:
            raise ValueError(f"the field holds many values: give them one by one, as {one.name}:VALUE")
        if many and not one.many:
            raise ValueError("the field holds one value, not a set")
        return one

    def _link(self, flat: str, value: Value | None) -> None:
        parts = link_parts(flat)
        if parts is None or (value is not None and value is not True) or not _is_id(parts[1]):
            raise ValueError("a link is there or not, under the name link:TYPE:ISSUE")
        if value is True and parts[0] not in self._catalogue.links:
            raise ValueError(f"there is no type of link {quoted(parts[0])}{_offered(parts[0], self._catalogue.links)}")
        if value is True and parts[1] == self._own:
            raise ValueError("an issue is not linked with itself")
        self.body.links[flat] = value is True

    def _plain(self, one: JiraField, value: Value | None) -> None:
        if one.kind is FieldKind.STATUS:
            raise ValueError("the status is reached step by step, and never together with other fields")
        if value is None or value in ("", []):
            if one.kind in _NEVER_EMPTY or one.required or self._needs(one):
                raise ValueError("an issue is never without it")
            value = None
        match one.shape:
            case Shape.PARENT:
                self._parent(value)
            case Shape.ESTIMATE:
                self._estimate(one, value)
            case Shape.CASCADE:
                self.body.fields[one.id] = None if value is None else shapes.cascade_json(self._cascade(one, value))
            case Shape.TEXT if isinstance(value, str) and text.length(value) > self._catalogue.text_limit:
                self.body.long[one.name] = overflow.sound(normal(one.kind, value))
            case _:
                self.body.fields[one.id] = None if value is None else self._json(one, _text(value))

    def _needs(self, one: JiraField) -> bool:
        meta = None if self._type is None or self._type.screen is None else self._type.screen.get(one.id)
        return meta is not None and meta.required and one.shape is not Shape.PARENT

    def _json(self, one: JiraField, value: str) -> Any:
        said = _checked(one, value, limit=self._catalogue.text_limit)
        if one.options and one.kind in _LISTED and said not in one.options:
            raise ValueError(f"there is no {one.kind} {quoted(said)}{_offered(said, one.options)}")
        if one.shape is Shape.SPRINT:
            known = self._catalogue.sprints.ids
            if len(ids := known.get(said, ())) != 1:
                several = f"there are {len(ids)} open sprints {quoted(said)}: nobody can tell which is meant"
                raise ValueError(several if ids else f"there is no open sprint {quoted(said)}{_offered(said, known)}")
            return int(ids[0])
        if one.shape is Shape.ID:
            return {"id": one.ids[said]} if said in one.ids else {"name": said}
        return shapes.written(one.shape, said, cloud=self._catalogue.cloud)

    def _cascade(self, one: JiraField, value: Value) -> list[str]:
        if not isinstance(value, list) or not 1 <= len(value) <= 2 or not all(value):  # noqa: PLR2004 - parent and child
            raise ValueError("the field holds an option and, under it, another: [parent, child]")
        parts = [_checked(one, part, limit=text.LINE_LIMIT) for part in value]
        path = "/".join(parts)
        if one.options and path not in one.options:
            raise ValueError(f"there is no option {quoted(path)}{_offered(path, one.options)}")
        return parts

    def _parent(self, value: Value | None) -> None:
        catalogue, subtask = self._catalogue, self._type is not None and self._type.subtask
        if value is None:
            if subtask:
                raise ValueError("a sub-task is never without the issue it belongs to")
            if catalogue.cloud:
                self.body.update["parent"] = [{"set": {"none": True}}]
            elif catalogue.epic_link:
                self.body.fields[catalogue.epic_link] = None
            return
        issue = _text(value)
        if not _is_id(issue):
            raise ValueError(f"{quoted(issue)} is no id of an issue")
        if catalogue.cloud or (subtask and not self._own):
            self.body.fields["parent"] = {"id": issue}
        elif subtask:
            raise ValueError("Jira Data Center lets nobody move a sub-task to another issue but in its own pages")
        elif not catalogue.epic_link:
            raise ValueError("only a sub-task belongs to another issue here: this Jira has no epics")
        elif (key := self._key_of(issue)) is None:
            raise ValueError(f"there is no issue {quoted(issue)}")
        else:
            self.body.fields[catalogue.epic_link] = key

    def _estimate(self, one: JiraField, value: Value | None) -> None:
        """Both estimates are written together: the one that is not given would follow the other."""
        both = self.body.fields.setdefault("timetracking", {})
        both[ESTIMATES[one.name]] = _duration(value)
        for name, member in ESTIMATES.items():
            if member not in both and (before := self._before.get(name)) is not None:
                both[member] = _duration(before)

    def _element(self, one: JiraField, element: str, value: Value | None) -> None:
        if value is not None and value is not True:
            raise ValueError("an element of a set is there or not: it has no value of its own")
        if value is True:
            if not element or "\n" in element:
                raise ValueError("an element of a set is one line of text")
            if one.shape is Shape.WEB:
                webs.link_json(element)
            else:
                self._json(one, element)

    def _set(self, one: JiraField, elements: Mapping[str, bool]) -> None:
        """Only what changes, where the field can be written so; else the whole set as it is to be."""
        cloud = self._catalogue.cloud
        if one.shape is Shape.WEB:
            self.body.webs.update(elements)
            return
        if one.id == watchers.ID:
            self.body.watchers.update(elements)
            return
        good = {name: there for name, there in elements.items() if flat_name(one.name, name) not in self.body.refused}
        if one.adds and self._before:
            words = {True: "add", False: "remove"}
            changes = [{words[there]: shapes.written(one.shape, name, cloud=cloud)} for name, there in good.items()]
            if changes:
                self.body.update[one.id] = changes
            return
        before = (split_name(flat) for flat in self._before)
        whole = {element for name, element in before if name == one.name and element is not None}
        whole = (whole | {name for name, there in good.items() if there}) - {name for name, there in good.items() if not there}
        self.body.fields[one.id] = [shapes.written(one.shape, name, cloud=cloud) for name in sorted(whole)]


def _checked(one: JiraField, value: str, *, limit: int) -> str:
    """A text that Jira has room for, in its normal form. Raises ValueError with words for a person."""
    said = normal(one.kind, value)
    if one.shape is Shape.LINE and "\n" in said:
        raise ValueError("the field holds one line: there is a line break in it")
    if one.kind is FieldKind.LABEL and any(letter.isspace() for letter in said):
        raise ValueError(f"a label holds no blank: {quoted(said)}")
    if one.shape is Shape.TEXT and not one.many:
        return text.fit(overflow.sound(said), limit=limit)
    return text.fit(said, limit=text.LINE_LIMIT)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError("the field holds one text")  # noqa: TRY004 - a value that came from outside, not a programming fault
    return value


def _duration(value: Value | None) -> str:
    """Seconds as Jira takes them, in whole minutes. Raises ValueError."""
    if value is None:
        return ""
    seconds = normal(FieldKind.NUMBER, _text(value))
    if not seconds.isdigit():
        raise ValueError("an estimate is a whole number of seconds")
    return f"{-(-int(seconds) // _MINUTE)}m"


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 19  # noqa: PLR2004 - digits of Jira's largest id


def _offered(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """`; did you mean "High"?`, or what there is where that is short."""
    near = did_you_mean(word[:_SHOWN], known)
    if near or not 0 < len(known) <= _FEW:
        return near
    return "; there are: " + shown(", ".join(known), limit=_FEW * _SHOWN)
