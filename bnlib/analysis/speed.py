"""How many times as many epochs one arm takes as another, by where the clock is stopped."""

from collections.abc import Mapping

import numpy as np

from bnlib.analysis.findings import Estimate, difference
from bnlib.analysis.learning import EVALUATIONS, Measure, kind_spread, time_to, time_to_own_best
from bnlib.run import Runs

OWN = "95 % of its own best"
ENDPOINTS: Mapping[str, Measure] = {
    **{f"{target} %": time_to(target) for target in (60, 65, 70)},
    OWN: time_to_own_best,
}


def epochs(arm: Runs, endpoint: str, how: str) -> np.ndarray:
    """Epochs to an endpoint, inf for a run that never gets there: (runs,)."""
    return 2 ** ENDPOINTS[endpoint](arm, how)


def factors(slow: Runs, fast: Runs, among: Runs) -> dict[tuple[str, str], Estimate]:
    """log₂ of the ratio of epochs by endpoint and evaluation, of those endpoints that every run of
    both arms reaches, with the spread of their kind ``among`` a chapter's runs."""
    found = {}
    for how in EVALUATIONS:
        for endpoint, time in ENDPOINTS.items():
            both = time(slow, how), time(fast, how)
            if np.isfinite(np.concatenate(both)).all():
                kind = kind_spread(among, slow, fast, time, how)
                found[endpoint, how] = difference(*both, kind)
    return found
