"""One run for each seed: a program of deeds made from it, played between two whole sites, and cut down when it fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from tests.converge.people import FIELDS
from tests.converge.scene import AGREEING, BY_HAND, JIRA_DEEDS, MOODS, NO_JIRA, NUMBERS, UNLIKE, a_scene
from tests.converge.undecided import ASKING
from tests.converge.variants import PENLESS, VARIANTS, Variant, variant_of
from tests.support.jira.site import CLOUD, DC9, DC10

STEPS: Final = 60  # of one run; what two issues at each side need to be known to both comes before them

PAIRS: Final = (("embedded", DC10.name), (CLOUD.name, "embedded"), (DC9.name, CLOUD.name), (CLOUD.name, CLOUD.name))

Step: TypeAlias = tuple[str, str, int]  # the deed, the side, the number it draws from


@dataclass(frozen=True)
class Program:
    """Everything that happens in a run: the same on every machine, at any time."""

    variant: str
    one_sided: bool
    hot: int
    steps: tuple[Step, ...]
    ends: tuple[str, str] = NO_JIRA

    def play(self, *, base: Path | None = None) -> dict[str, int]:
        """Raises what was found: AssertionError, or whatever filesync should not have raised. `base`: as two_sites.

        Returns how often what may come to pass did, by a word.
        """
        with a_scene(self.variant, one_sided=self.one_sided, hot=self.hot, ends=self.ends, base=base) as scene:
            for step in self.steps:
                scene.deed(*step)
            return scene.end()

    def reduced(self, fails: Callable[[Program], bool]) -> Program:
        """The same failure with as few steps as can be had by leaving out."""
        shortest, size = self, len(self.steps)
        while size := size // 2 if size > 1 else 0:
            place = 0
            while place < len(shortest.steps):
                steps = shortest.steps[:place] + shortest.steps[place + size :]
                tried = replace(shortest, steps=steps)
                shortest, place = (tried, place) if fails(tried) else (shortest, place + size)
        return shortest

    def __str__(self) -> str:
        steps = "\n".join(f"        {step!r}," for step in self.steps)
        return f"Program({self.variant!r}, {self.one_sided}, {self.hot}, steps=(\n{steps}\n), ends={self.ends})"


def program(seed: int, *, one_sided: bool = False) -> Program:
    """The program of a seed."""
    draw = random.Random(seed)
    variant = draw.choice(sorted(VARIANTS))
    often = MOODS[draw.choice(sorted(MOODS))]
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    return Program(variant, one_sided, draw.randrange(len(FIELDS)), steps)


def _more(often: Mapping[str, int], besides: Mapping[str, int]) -> dict[str, int]:
    return {deed: times + besides.get(deed, 0) for deed, times in often.items()}


def agreeing(seed: int) -> Program:
    """The program of a seed for two sites that change their contract; every other one is about what belongs to issues."""
    draw = random.Random(seed)
    variant = draw.choice(sorted(VARIANTS))
    often = {**MOODS[draw.choice(sorted(MOODS))], **AGREEING}
    if seed % 2:
        variant, often = f"furnished {draw.randrange(len(VARIANTS))}", _more(often, UNLIKE)
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    return Program(variant, False, draw.randrange(len(FIELDS)), steps)


def by_hand(seed: int) -> Program:
    """The program of a seed for people who stop and start single issues; every other one with ways, ends and keys of its own."""
    draw = random.Random(seed)
    variant = draw.choice(sorted(VARIANTS))
    often = {**MOODS[draw.choice(sorted(MOODS))], **BY_HAND}
    which = draw.randrange(200)
    if seed % 2:
        variant, often = f"said {which}", _more(often, UNLIKE)
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    return Program(variant, seed % 4 == 3 and is_quiet(variant_of(variant)), draw.randrange(len(FIELDS)), steps)


def prove_by_hand(seed: int) -> None:
    """As `prove`, with single issues that are stopped and started."""
    _prove(seed, by_hand(seed), base=None)


def prove_agreeing(seed: int) -> None:
    """As `prove`, with contracts that are proposed, withdrawn, accepted and declined."""
    _prove(seed, agreeing(seed), base=None)


def prove_narrowed(seed: int, *, pairs: int) -> None:
    """As `prove`, where both mappings let less flow than the contract: so many pairs of them take turns."""
    whole = program(seed, one_sided=seed % 4 == 3)
    _prove(seed, replace(whole, variant=f"narrowed {seed % pairs}"), base=None)


def responsible(seed: int) -> Program:
    """The program of a seed where values of an issue say who wins its fields: these and those are what people quarrel about."""
    draw = random.Random(seed)
    often = MOODS[draw.choice(("quarrel", "quarrel", *sorted(MOODS)))]
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    which = draw.randrange(2 * PENLESS)
    one_sided = seed % 8 == 7 and which < PENLESS  # else what one side edits may be put back
    return Program(f"responsible {which}", one_sided, draw.randrange(3), steps)


def prove_responsible(seed: int) -> None:
    """As `prove`, where values say who wins; every third one with mappings as in `prove_narrowed`."""
    _prove(seed, responsible(seed), base=None)


def unlike(seed: int) -> Program:
    """The program of a seed for sites that do not treat all alike: what is deleted, what one of them alone tells, what is shown."""
    draw = random.Random(seed)
    often = _more(MOODS[draw.choice(sorted(MOODS))], UNLIKE)
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    variant = f"said {draw.randrange(200)}"
    return Program(variant, seed % 4 == 3 and is_quiet(variant_of(variant)), draw.randrange(len(FIELDS)), steps)


def prove_unlike(seed: int) -> dict[str, int]:
    """As `prove`, with ways, ends and keys of their own. Returns how often what may come to pass did."""
    return _prove(seed, unlike(seed), base=None)


def asking(seed: int) -> Program:
    """The program of a seed where people say who wins; in every third one the contract changes, too."""
    draw = random.Random(seed)
    changes = AGREEING if seed % 3 == 2 else {}
    often = {**MOODS[draw.choice(("quarrel", "quarrel", *sorted(MOODS)))], **ASKING, **changes}
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    which = draw.randrange(2) if changes else draw.randrange(24)
    variant = f"asking {which}"
    one_sided = seed % 8 == 7 and not changes and is_quiet(variant_of(variant))
    return Program(variant, one_sided, draw.randrange(5), steps)


def prove_asking(seed: int) -> dict[str, int]:
    """As `prove`, where neither side wins until a person decides. Returns how often what may come to pass did."""
    return _prove(seed, asking(seed), base=None)


def is_quiet(variant: Variant) -> bool:
    """Whether a side where nobody edits anything tells nothing, and the other one is not written to."""
    return not variant.said.keys and "acme" not in variant.said.texts


def with_jira(seed: int) -> Program:
    """The program of a seed for two sites of which one or both have a Jira; every third one with ways, ends and keys of their own."""
    draw = random.Random(seed)
    ends = draw.choice(PAIRS)
    variant = draw.choice(sorted(VARIANTS))
    often = {**MOODS[draw.choice(sorted(MOODS))], **JIRA_DEEDS}
    which = draw.randrange(200)
    if seed % 3 == 2:
        variant, often = f"said {which - which % 3}", _more(often, UNLIKE)  # of those with mappings as usual
    deeds = draw.choices(list(often), weights=list(often.values()), k=STEPS)
    steps = tuple((deed, draw.choice(("acme", "globex")), draw.randrange(NUMBERS)) for deed in deeds)
    return Program(variant, seed % 4 == 3 and is_quiet(variant_of(variant)), draw.randrange(len(FIELDS)), steps, ends)


def prove_with_jira(seed: int) -> None:
    """As `prove`, with a Jira at one side or at both."""
    _prove(seed, with_jira(seed), base=None)


def prove(seed: int, *, one_sided: bool = False, base: Path | None = None) -> None:
    """Play the program of a seed. Raises AssertionError with the shortest program that fails in the same way."""
    _prove(seed, program(seed, one_sided=one_sided), base=base)


def _prove(seed: int, whole: Program, *, base: Path | None) -> dict[str, int]:
    try:
        return whole.play(base=base)
    except Exception as error:  # noqa: BLE001 - as in failure_of
        failure = error
    shortest = whole.reduced(lambda tried: type(failure_of(tried, base=base)) is type(failure))
    found = failure_of(shortest, base=base)
    raise AssertionError(f"seed {seed}: {found!r}\nplay this to see it:\n{shortest}") from failure


def failure_of(program: Program, *, base: Path | None = None) -> Exception | None:
    """What a program ends with, if it fails."""
    try:
        program.play(base=base)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return error
    return None
