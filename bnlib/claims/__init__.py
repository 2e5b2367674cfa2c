from bnlib.claims.claim import cards, claim, erratum
from bnlib.claims.first_scheme import Claim, Finding, Verdict, verdicts
from bnlib.claims.judge import Part

__all__ = ["Claim", "Finding", "Part", "Verdict", "cards", "claim", "erratum", "verdicts"]
