"""What the rules of an exchange say of one field, whatever its values."""

from __future__ import annotations

import msgspec

from filesync.rules.contract import Flow
from filesync.rules.winner import ByValue


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """How a field goes. It is asked for of every change, and is the same for all items of a kind."""

    carries: bool  # it travels, and stands here
    tells_born: bool  # this side tells it with the item itself
    tells: bool  # and as an edit
    takes_born: bool  # what arrives for it is written here as the item is made
    takes: bool  # and after that
    asks: bool  # neither wins until a person decides
    wins: bool  # this side wins it where both edited it; where the winner follows a value, without any
    by_value: ByValue | None
    flow: Flow
