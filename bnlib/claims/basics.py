"""The claims of the chapter on batch norm itself (S1.11, the formulas of S2.20).

They need no training: chapter 2 computes what they say and hands the numbers over, by claim, in
place of runs.
"""

from bnlib.claims.first_scheme import (
    Claim,
    Verdict,
)

EXACT = 1e-10  # largest relative error in float64 that counts as equal
VIOLATED = 0.01  # relative error from which an equality counts as broken
STATEMENTS = ("BN((αw)ᵀx)", "∂/∂x", "∂/∂(αw)")  # with all of: scale dropped, unchanged, α⁻¹


def scale_drops_out(computed: dict[str, dict]) -> Verdict:
    """By "without eps" and "with eps", then by α: the relative errors of the three STATEMENTS."""
    without, with_eps = (
        {alpha: dict(zip(STATEMENTS, errors, strict=True)) for alpha, errors in errors_at.items()}
        for errors_at in (computed["S1.11"][key] for key in ("without eps", "with eps"))
    )
    wrong = {s for a in without if a > 0 for s in STATEMENTS if not without[a][s] < EXACT}
    flipped = [a for a in without if a < 0 and not without[a][STATEMENTS[0]] < EXACT]
    broken = [a for a in with_eps if a > 0 and max(with_eps[a].values()) > VIOLATED]
    if wrong:
        return Verdict("contradicted", f"Even without ε it fails for {', '.join(sorted(wrong))}.")
    because = f"Without ε all three statements hold for every α > 0 (relative error < {EXACT:g})."
    if flipped:
        because += " For α < 0 the output changes its sign, which the source does not exclude."
    if not broken:
        return Verdict("supported", because)
    because += (
        f" With ε = 1e-5, which stands in the source's own formula, they are off by more than"
        f" {VIOLATED:.0%} for α = {', '.join(f'{a:g}' for a in sorted(broken))}: they hold only as "
        "long as α²σ² is much larger than ε."
    )
    return Verdict("mixed", because)


def formulas(computed: dict[str, dict]) -> Verdict:
    """The standard deviation of a "batch", of its "W_norm" and of its "Z" (γ = 1, β = 0)."""
    spread = computed["S2.20"]
    because = (
        "Three slips. The formula for the standard deviation σ_B has no root, so it is the "
        "variance; the next formula squares it; and the output is computed from W, not from "
        f"W_norm. A batch with standard deviation {spread['batch']:.2g} comes out of the first two "
        f"with {spread['W_norm']:.2g} where 1 is meant, and of all three with {spread['Z']:.2g}: "
        "nothing is normalised. The moving average takes the biased variance; PyTorch takes the "
        "unbiased one."
    )
    right = max(abs(spread["W_norm"] - 1), abs(spread["Z"] - 1)) < VIOLATED
    return Verdict("supported" if right else "contradicted", because, text=True)


BASICS = (
    Claim(
        "S1.11",
        "Schilling, slides (S1), “A sidenote on weight initialization”",
        "batchnorm((αw)ᵀx + b) = batchnorm(wᵀx); the derivative with respect to x does not depend "
        "on α; the one with respect to αw is α⁻¹ times the one with respect to w.",
        f"In float64, over a range of α: equal means a relative error below {EXACT:g} without ε. "
        f"Mixed where that holds but an error above {VIOLATED:.0%} appears with ε = 1e-5.",
        scale_drops_out,
    ),
    Claim(
        "S2.20",
        "Hamidi, paper review (S2), section 2; its measured part is judged in the LeNet chapter",
        "σ_B = 1/m Σ(w_i − μ_B)² is the standard deviation; W_norm = (W − μ_B)/√(σ_B² + ε); "
        "Z = γW + β.",
        "By reading; computed as it stands, on a batch with a known spread.",
        formulas,
    ),
)
