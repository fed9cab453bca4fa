"""`filesync`, which in `run` looks again after a fifth of a second where it would after ten."""

from __future__ import annotations

import runpy

from filesync.agent.running import lanes

vars(lanes).update(POLL=0.2, RETRY=0.2)
runpy.run_module("filesync.cli.main", run_name="__main__")
