"""Two whole sites, people at both, a bad carrier, a tracker that refuses, crashes anywhere: do they always end in step?

A machine for Hypothesis: what it prints of a failure is a program that shows it again. It has one rule that draws the
deed, because Hypothesis leaves out half of a machine's rules in each run: without exports nothing would be learned.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.converge.people import FIELDS
from tests.converge.scene import MOODS, NUMBERS, Scene, a_scene
from tests.converge.variants import VARIANTS

STEPS: Final = 60  # of one run

_side = st.sampled_from(("acme", "globex"))
_number = st.integers(0, NUMBERS - 1)
_deeds: Final = {
    mood: st.sampled_from([word for word, times in often.items() for _ in range(times)]) for mood, often in MOODS.items()
}


class Converge(RuleBasedStateMachine):
    """People edit at both sides and skip what is refused: both sides end equal, and nothing is doubled or lost."""

    one_sided: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._scene: Scene | None = None
        self._mood = ""

    @initialize(
        variant=st.sampled_from(sorted(VARIANTS)), mood=st.sampled_from(list(MOODS)), hot=st.integers(0, len(FIELDS) - 1)
    )
    def begin(self, variant: str, mood: str, hot: int) -> None:
        self._scene = self._stack.enter_context(a_scene(variant, one_sided=self.one_sided, hot=hot))
        self._mood = mood

    @rule(drawn=st.data())
    def step(self, drawn: st.DataObject) -> None:
        assert self._scene is not None
        self._scene.deed(drawn.draw(_deeds[self._mood]), drawn.draw(_side), drawn.draw(_number))

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and self._scene is not None:
                self._scene.end()
        finally:
            self._stack.close()


class OneSided(Converge):
    """People edit at acme only: globex never sends a change, and acme's tracker is never written to."""

    one_sided = True
