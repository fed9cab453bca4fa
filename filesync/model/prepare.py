"""Types made ready for decoding when their module is imported.

msgspec looks into a type when it is first decoded to, and keeps what it found with the type. Two threads that are the
first at the same time, as two sites of one run are, can see it half made: the process then dies of a segmentation fault.
"""

from __future__ import annotations

import msgspec


def prepare(*types: type) -> None:
    """Have msgspec look into these now, and into all that they are made of."""
    for one in types:
        msgspec.json.Decoder(one)
