"""The claims of the ledger. Each is a pure function from recorded runs to a verdict.

Rules and margins stand here before the runs are recorded and do not change afterwards.
"""

from bnlib.claims.claim import Claim, verdicts
from bnlib.claims.judge import Finding, Verdict

__all__ = ["Claim", "Finding", "Verdict", "verdicts"]
