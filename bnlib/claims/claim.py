"""A claim of the ledger, and how its verdict is shown on a page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape

from bnlib.analysis.stats import holm
from bnlib.claims.arms import NotTested
from bnlib.claims.judge import Verdict
from bnlib.run import Runs


@dataclass(frozen=True)
class Claim:
    id: str  # of the ledger, such as "S2.19"
    source: str  # who claims it
    sentence: str  # what is claimed, with the source's number
    rule: str  # how it is judged, fixed before the runs were recorded
    judge: Callable[[dict[str, Runs]], Verdict]


@dataclass(frozen=True)
class Judged:
    """A claim and its verdict from the runs at hand."""

    claim: Claim
    verdict: Verdict
    indicative: bool  # from runs below the source's scale
    holm: tuple[bool, ...] = ()  # which findings differ from zero after the page's correction

    @property
    def label(self) -> str:
        notes = ["text verdict"] * self.verdict.text + ["indicative"] * (
            self.indicative and self.verdict.word != "not tested"
        )
        return self.verdict.word + (f" ({', '.join(notes)})" if notes else "")

    def __repr__(self) -> str:
        lines = [f"{self.claim.id} {self.label}: {self.verdict.because}"]
        return "\n".join(lines + [f"  {finding}" for finding in self.verdict.findings])

    def _repr_html_(self) -> str:
        names = ("measured", "mean and 95 % interval", "n", "smallest visible", "≠ 0 (Holm)")
        heads = "".join(f"<th>{name}</th>" for name in names)
        rows = ""
        for f, survives in zip(self.verdict.findings, self.holm, strict=True):
            cells = (
                f.what,
                f.interval,
                f.n,
                f"{f.detectable:.2f}".replace("nan", "–"),
                "yes" if survives else "no",
            )
            rows += "<tr>" + "".join(
                f'<td data-label="{name}">{escape(str(cell))}</td>'
                for name, cell in zip(names, cells, strict=True)
            )
            rows += "</tr>"
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return (
            f'<div class="verdict {self.verdict.word.replace(" ", "-")}">'
            f'<p class="verdict-head"><span class="verdict-id">{self.claim.id}</span> '
            f'<span class="verdict-word">{escape(self.label)}</span></p>'
            f"<p><em>{escape(self.claim.source)}:</em> {escape(self.claim.sentence)}</p>"
            f"<p>{escape(self.verdict.because)}</p>{table * bool(rows)}"
            f'<p class="verdict-rule">Rule: {escape(self.claim.rule)}</p></div>'
        )


class Verdicts(list[Judged]):
    """Several claims judged; shown one below the other."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "".join(judged._repr_html_() for judged in self)


def _verdict(claim: Claim, runs: dict[str, Runs]) -> Verdict:
    try:
        return claim.judge(runs)
    except NotTested as missing:
        return Verdict("not tested", str(missing))


def verdicts(claims: Iterable[Claim], runs: dict[str, Runs], profile: str = "paper") -> Verdicts:
    """Judge ``claims`` on ``runs``; below the paper profile a measured verdict is indicative.

    Many differences stand on one page, so Holm's correction over all of them says which would
    still differ from zero."""
    judged = [(claim, _verdict(claim, runs)) for claim in claims]
    survive = iter(holm([f.p for _, verdict in judged for f in verdict.findings]))
    return Verdicts(
        Judged(
            claim,
            verdict,
            profile != "paper" and not verdict.text,
            tuple(next(survive) for _ in verdict.findings),
        )
        for claim, verdict in judged
    )
