"""What Jira refuses, by our names of fields and in words for a person. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from filesync.bundle.verdict import shown
from filesync.errors import Rejected
from filesync.model.values import Flat, split_name
from filesync.trackers.jira.translate.bodies import refused_names
from filesync.trackers.jira.translate.catalogue import Catalogue
from filesync.trackers.jira.translate.offered import VISIBILITY

_SHOWN: Final = 60  # characters of a field's name
_OF_ENTRIES: Final = {
    "comment": "body",
    "commentLevel": VISIBILITY,
    "visibility": VISIBILITY,
    "body": "body",
    "started": "started",
    "timeLogged": "seconds",
    "timeSpentSeconds": "seconds",
}
_HINT: Final = "Change what is named, or the project in Jira."


def refusal(what: str, fields: Mapping[str, str], *, hint: str = _HINT) -> Rejected:
    """The error for refused fields, by flat name."""
    said = "; ".join(f"{shown(name, limit=_SHOWN)}: {why}" for name, why in fields.items())
    return Rejected(f"{what} is refused: {said}", fields=fields, hint=hint)


def by_name(what: str, error: Rejected, catalogue: Catalogue, fields: Flat, *, screen: Collection[str] | None) -> Rejected:
    """Jira's refusal of these fields. `screen`: the ids of the fields that can be written there; None: nobody knows.

    Of a field that is on no screen Jira says that it is "not on the appropriate screen, or unknown", in its user's language.
    """
    named = refused_names(catalogue, error.fields, fields)
    if screen is not None:
        for flat in fields:
            one = catalogue.by_name.get(split_name(flat)[0])
            ids = {one.id, catalogue.epic_link} if one is not None and one.name == "parent" else {one.id} if one else set()
            if ids and not ids & set(screen):
                named[flat] = f"the field {_quoted(one.label if one else flat)} is not on the screen: put it there in Jira"
    if not named and len(fields) == 1:
        named = dict.fromkeys(fields, str(error))
    return refusal(what, named) if named else Rejected(f"{what} is refused: {error}", hint=error.hint)


def entry_refusal(what: str, error: Rejected, fields: Flat) -> Rejected:
    """Jira's refusal of a comment's or worklog's fields."""
    named = {name: why for id_, why in error.fields.items() if (name := _OF_ENTRIES.get(id_, id_)) in fields}
    if not named and len(fields) == 1:
        named = dict.fromkeys(fields, str(error))
    return refusal(what, named) if named else Rejected(f"{what} is refused: {error}", hint=error.hint)


def _quoted(text: str) -> str:
    return f'"{shown(text, limit=_SHOWN)}"'
