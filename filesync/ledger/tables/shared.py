"""What all tables have in common."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

# What statements ask by: they are built once, and given these at every call.
X: Final[sa.BindParameter[Any]] = sa.bindparam("x")  # an exchange
GENERATION: Final[sa.BindParameter[Any]] = sa.bindparam("generation")
SEQ: Final[sa.BindParameter[Any]] = sa.bindparam("seq")
MANY: Final[sa.BindParameter[Any]] = sa.bindparam("many", expanding=True)
