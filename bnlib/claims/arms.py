"""Picking and comparing the arms of an experiment; what is missing says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bnlib.analysis.findings import Finding, Range, combination, paired_difference, sessions
from bnlib.analysis.learning import Measure, kind_spread
from bnlib.run import Runs


class NotTested(Exception):
    """The runs that a part needs are not there; the text says which."""


class Untestable(Exception):
    """The runs are there, but the question cannot be asked of them; the text says what it needs."""


class Experiments(dict[str, Runs]):
    """A chapter's runs by experiment; one that is not recorded is not tested, no KeyError."""

    def __init__(self, runs: Mapping[str, Runs]):
        super().__init__({name: some for name, some in runs.items() if len(some)})
        self.used: dict[str, Runs] = {}  # what a rule has asked for

    def __getitem__(self, name: str) -> Runs:
        some = super().__getitem__(name)
        self.used[name] = some
        return some

    def __missing__(self, name: str) -> Runs:
        raise NotTested(f"The experiment “{name}” is not recorded.")


def need(condition: bool, what: str) -> None:
    """A condition without which the part cannot be asked, such as "a network that learns"."""
    if not condition:
        raise Untestable(f"It needs {what}.")


def pick(runs: Runs, **fields) -> Runs:
    """The runs with these values, at least one."""
    found = runs.where(**fields)
    if not len(found):
        wanted = ", ".join(f"{name} {value}" for name, value in fields.items())
        raise NotTested(f"There is no run with {wanted}.")
    return found


def arms(runs: Runs) -> tuple[Runs, Runs]:
    """The arm with batch norm (ours or PyTorch's) and the one without."""
    norms = [norm for norm in runs.values("norm") if norm != "none"]
    if not norms:
        raise NotTested("There is no run with batch norm.")
    return pick(runs, norm=norms[0]), pick(runs, norm="none")


def contrast(
    one: Runs, other: Runs, measure: Measure, how: str, runs: Mapping[str, Runs], note: str = ""
) -> Finding:
    """Mean of ``one`` − mean of ``other``, with the spread of their kind among all of a chapter's
    ``runs``."""
    return combined((one, other), (1, -1), measure, how, runs, note)


def combined(
    arms: Sequence[Runs],
    weights: Sequence[float],
    measure: Measure,
    how: str,
    runs: Mapping[str, Runs],
    note: str = "",
) -> Finding:
    """Σ weight × mean of an arm, with the spread of their kind among all of a chapter's ``runs``:
    contrasts of more than two arms, such as a difference of differences or a slope."""
    values = _values(arms, measure, how)
    among = Runs(run for some in runs.values() for run in some)
    kinds = [kind_spread(among, arms[0], other, measure, how) for other in arms[1:]]
    kind = None if None in kinds else kinds[0]
    return replace(combination(values, weights, kind), note=note)


def paired_contrast(one: Runs, other: Runs, measure: Measure, how: str) -> Finding:
    """one − other by seed, for pairs that share more than a seed."""
    return paired_difference(*_values((one, other), measure, how))


def _values(arms: Sequence[Runs], measure: Measure, how: str) -> list[np.ndarray]:
    values = [measure(arm, how) for arm in arms]
    finite = all(np.isfinite(some).all() for some in values)
    need(finite, "runs that do not diverge: count those that do")
    return values


def pace(timings: Runs, one: str, other: str) -> Range:
    """log₂ of the time of a training step of arm ``one`` over that of ``other``."""
    timed = [run.history for run in timings if {one, other} <= set(run.history)]
    if not timed:
        raise NotTested(f"No timing has the arms “{one}” and “{other}” side by side.")
    return sessions([np.log2(np.divide(table[one], table[other])) for table in timed])
