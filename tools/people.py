"""People at work in one of the two Jiras of `make jira-demo`: what they would do in a browser, typed.

tools/people.py FILE SITE VERB WORD… ; FILE is what tests/support/jira/stage.py wrote. `url`, `user` and `token` answer what its
administrator would hand out.
"""

from __future__ import annotations

import json
import sys
from multiprocessing.connection import Client
from pathlib import Path


def main(file: str, site: str, *words: str) -> int:
    """Do it, and show the answer. Ends with 1 where it cannot be done."""
    told = json.loads(Path(file).read_text(encoding="utf-8"))
    if words[0] in told[site]:
        print(told[site][words[0]])
        return 0
    with Client(tuple(told["address"]), authkey=told["key"].encode()) as connection:
        connection.send([site, *words])
        status, text = connection.recv()
    print(text, end="")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
