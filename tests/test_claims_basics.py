"""The claims that need no training, on made-up numbers whose verdict is known."""

from bnlib.claims import verdicts
from bnlib.claims.basics import BASICS, formulas, scale_drops_out

EXACT, OFF = (1e-14, 1e-14, 1e-14), (0.3, 0.3, 0.3)


def invariance(without, with_eps):
    return scale_drops_out({"S1.11": {"without eps": without, "with eps": with_eps}})


def test_scale_invariance():
    assert invariance({10.0: EXACT}, {10.0: EXACT}).word == "supported"
    mixed = invariance({10.0: EXACT, -2.0: OFF}, {10.0: EXACT, 0.01: OFF})
    assert mixed.word == "mixed"
    assert "α = 0.01:" in mixed.because
    assert "changes its sign" in mixed.because
    wrong = invariance({10.0: (1e-14, 1e-14, 0.5)}, {10.0: EXACT})
    assert wrong.word == "contradicted"
    assert wrong.because.endswith("∂/∂(αw).")
    assert invariance({10.0: (float("nan"),) * 3}, {}).word == "contradicted"


def test_formulas():
    source = {"batch": 3.0, "W_norm": 0.33, "Z": 3.0}
    assert formulas({"S2.20": source}).word == "contradicted"
    assert formulas({"S2.20": {"batch": 3.0, "W_norm": 1.0, "Z": 1.0}}).word == "supported"


def test_they_are_shown_without_runs():
    computed = {
        "S1.11": {"without eps": {10.0: EXACT}, "with eps": {10.0: EXACT}},
        "S2.20": {"batch": 3.0, "W_norm": 0.33, "Z": 3.0},
    }
    assert [judged.label for judged in verdicts(BASICS, computed)] == [
        "supported",
        "contradicted (text verdict)",
    ]
