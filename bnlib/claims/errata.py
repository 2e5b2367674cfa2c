"""Slips of a source's text that belong to no chapter's runs."""

from collections.abc import Mapping

from bnlib.claims.claim import erratum
from bnlib.run import Runs

S3 = "CIFAR-10 exploration (S3)"


@erratum("S3.21", source=S3, says="Its first table gives the run with batches of 4 as 42 epochs.")
def six_epochs(runs: Mapping[str, Runs]) -> str:
    return "The run has 6 epochs, as the text of the source says elsewhere."


@erratum("S3.28", source=S3, says="The weights after the next step are written ω_t + 1.")
def next_step(runs: Mapping[str, Runs]) -> str:
    return "ω_{t+1} is meant, the weights of step t + 1; ω_t + 1 would add 1 to every weight."


ERRATA = (six_epochs, next_step)
