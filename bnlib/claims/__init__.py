"""The claims of the ledger, each a rule that turns recorded runs into judged parts.

How to write a rule file (``lenet.py`` is the example):

1. Write the text and the rule together: ``@claim(id, source=…, says=…, rule=…, needs=[…])`` above
   a function of the chapter's runs that returns a list of ``Part``, the main one first.
   ``source`` names the paper or textbook and then the report; ``needs`` the experiments without
   which nothing can be asked. A slip of a text is an ``@erratum`` that returns what is right.
2. A part asks one question: ``Part(text, kind, unit, find, primary, at)``. Its kind is "more",
   "less", "equal", "at_most" or "at_least" (these two with a ``bound``, written as a reader would).
   Margins belong to the units (``margins.py``), for the whole book; ``margin=`` is for the source's
   own resolution only. ``at`` names conditions in phrases ({"start": "from He's start"}): a claim
   that holds in part says which of them splits it. Texts are fixed; what was chosen on the way,
   such as a learning rate, is the finding's ``note``.
3. ``find(how)`` measures under an evaluation and is asked twice. Judge by precise statistics what
   is said of training (the default), by running averages what is said of deployed accuracy or of
   the source's print (``primary=RUNNING``). Rates are chosen under the same ``how``.
4. Findings (``analysis/findings.py``, ``counts.py``): ``contrast`` for two arms, with the spread
   of their kind; ``paired_contrast`` where pairs share more than a seed; ``share`` and ``shares``
   for arms that learn or do not, never a mean; ``ranks`` for times that some never reach;
   ``pace`` for timings; ``exact`` for what is computed. A ratio is a difference of log₂ in the
   unit ``RATIO``. A measure that is computed from runs belongs to ``analysis``.
5. What is missing says so by itself: an experiment or arm (``pick``) that is not recorded makes
   its part "not tested" if it is looked up inside ``find``; ``need(condition, "…")`` in there makes
   it "untestable here". End the file with a tuple of the claims in the order of the page, which
   shows ``cards(CLAIMS, runs)``. A rule written later than ``DATED`` gives its own
   ``dated=``: runs made before are judged post hoc, later seeds show whether it repeats.
"""

from bnlib.claims.claim import Claim, cards, claim, erratum
from bnlib.claims.judge import Part

__all__ = ["Claim", "Part", "cards", "claim", "erratum"]
