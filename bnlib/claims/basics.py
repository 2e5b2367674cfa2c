"""The claims of the chapter on batch norm itself (S1.11, the formulas of S2.20).

They need no training: what they say of the formula is computed (``norm.identities``) and handed
over, by claim, in place of runs.
"""

import numpy as np

from bnlib.analysis.findings import Finding, exact
from bnlib.claims.arms import Experiments
from bnlib.claims.claim import claim, erratum
from bnlib.claims.judge import AT_MOST, Part
from bnlib.claims.margins import ERROR

EXACT = 1e-10  # relative error below which two results of float64 are equal
STATEMENTS = ("BN((αw)ᵀx + b) = BN(wᵀx)", "∂/∂x unchanged", "∂/∂(αw) = α⁻¹ ∂/∂w")
WHERE = {  # which ε and α, and the largest error allowed
    "without ε for α > 0": (lambda eps, alpha: eps == 0 and alpha > 0, EXACT),
    "with ε for large α": (lambda eps, alpha: eps > 0 and alpha > 1, ERROR.margin),
    "with ε for small α": (lambda eps, alpha: eps > 0 and 0 < alpha < 1, ERROR.margin),
    "for α < 0": (lambda eps, alpha: eps == 0 and alpha < 0, EXACT),
}


@claim(
    "S1.11",
    source="Ioffe & Szegedy 2015, section 3.3; slides on batch normalisation (S1)",
    says="The scale of the weights drops out: BN((αw)ᵀx + b) = BN(wᵀx); the derivative with "
    "respect to x does not depend on α; the one with respect to αw is α⁻¹ times the one with "
    "respect to w.",
    rule="Three identities, in float64, each by its largest relative error over a range of α. "
    f"Without ε they are exact, to {EXACT:g}, for α > 0; and for α < 0, which the sources do not "
    "exclude. With ε = 1e-5, which stands in their own formula, they hold to "
    f"{ERROR.margin:.0%} for α from 10 to 10,000 (large), and for α from .1 down to .0001 (small).",
    needs=["S1.11"],
)
def scale_drops_out(computed: Experiments) -> list[Part]:
    errors = computed["S1.11"]  # by ε, then by α: one for each statement

    def largest(statement: int, where: str) -> Finding:
        holds_for, _ = WHERE[where]
        some = [
            found[statement]
            for eps, by_alpha in errors.items()
            for alpha, found in by_alpha.items()
            if holds_for(eps, alpha)
        ]
        return exact(float(np.max(some)))

    return [
        Part(
            f"error of {statement}",
            AT_MOST,
            ERROR,
            lambda how, i=i, where=where: largest(i, where),
            at={"where": where},
            bound=bound,
        )
        for where, (_, bound) in WHERE.items()
        for i, statement in enumerate(STATEMENTS)
    ]


@erratum(
    "S2.20",
    source="Review of batch normalisation with LeNet (S2), section 2",
    says="σ_B = 1/m Σ(w_i − μ_B)² is the standard deviation; W_norm = (W − μ_B)/√(σ_B² + ε); "
    "Z = γW + β.",
)
def formulas(computed: Experiments) -> str:
    return (
        "Three slips. The formula for the standard deviation σ_B has no root, so it is the "
        "variance; the next formula squares it, so that a batch with standard deviation s comes "
        "out with 1/s where 1 is meant; and the output is computed from W, not from W_norm, so "
        "that nothing is normalised at all. The moving average takes the biased variance, "
        "PyTorch's the unbiased one. How the measured part of this claim fares stands in the "
        "LeNet chapter."
    )


BASICS = (scale_drops_out, formulas)
