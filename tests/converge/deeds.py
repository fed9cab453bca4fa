"""What a person may do, by the word it is drawn by; each deed chosen by a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.converge.people import Person


def split(number: int, *sizes: int) -> list[int]:
    """Smaller numbers out of one, each below its size."""
    found = []
    for size in sizes:
        number, one = divmod(number, size)
        found.append(one)
    return found


def _create(person: Person, number: int) -> None:
    kind, above, value = split(number, 5, 12, 2**18)
    person.create(kind, above, value)


def _edit_comment(person: Person, number: int) -> None:
    which, value = split(number, 12, 3)
    person.edit_comment(which, value)


def _edit_worklog(person: Person, number: int) -> None:
    which, value = split(number, 12, 12)
    person.edit_worklog(which, value)


def _link(person: Person, number: int) -> None:
    which, other, link_type = split(number, 12, 12, 2)
    person.link(which, other, link_type)


def _transition(person: Person, number: int) -> None:
    which, value = split(number, 12, 6)
    person.transition(which, value)


def _attach(person: Person, number: int) -> None:
    which, size = split(number, 12, 15)
    person.attach(which, size)


PEOPLE: Final[Mapping[str, Callable[[Person, int], None]]] = {
    "create": _create,
    "undo": Person.undo,
    "transition": _transition,
    "comment": Person.comment,
    "edit comment": _edit_comment,
    "delete comment": Person.delete_comment,
    "attach": _attach,
    "delete attachment": Person.delete_attachment,
    "log work": Person.log_work,
    "edit worklog": _edit_worklog,
    "delete worklog": Person.delete_worklog,
    "link": _link,
    "unlink": Person.unlink,
    "delete": Person.delete,
    "in or out of scope": Person.scope,
}
