"""The summary table of a page's verdicts."""

from html.parser import HTMLParser

import numpy as np
import pytest

from bnlib.claims import Claim, Finding, Verdict, verdicts
from bnlib.claims.summary import Summary


class Cells(HTMLParser):
    """The text of every cell of the body, row by row."""

    def __init__(self, text: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append("")
            self.inside = True
        elif tag == "br":
            self.rows[-1][-1] += "|"

    def handle_endtag(self, tag):
        self.inside &= tag != "td"

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def judged():
    one = Finding.of_pairs("a < b", np.array([0.3, 0.5, 0.4]), np.array([0.1, 0.3, 0.1]))
    two = Finding.of_pairs("c", np.array([0.3, 0.5]), np.array([0.1, 0.3]))
    claims = (
        Claim("X1", "a source", "…", "…", lambda runs: Verdict("mixed", "why", (one, two))),
        Claim("X2", "a source", "…", "…", lambda runs: Verdict("supported", "read", text=True)),
    )
    return verdicts(claims, {}, "laptop"), one, two


def test_rows_follow_the_order_of_the_words():
    found, one, two = judged()
    summary = Summary(found, {"X2": "yes & no", "X1": "b < a"}, {"X1": (1, 0)})
    rows = Cells(summary._repr_html_()).rows
    assert rows[1:] == [
        ["X2", "yes & no", "read", "supported (text verdict)"],
        ["X1", "b < a", f"{two}|{one}", "mixed (indicative)"],
    ]
    assert repr(summary).splitlines()[1] == f"X1 “b < a”: {two}; {one}: mixed (indicative)"


def test_the_first_finding_stands_for_a_verdict_and_a_wrong_name_is_an_error():
    found, one, _ = judged()
    assert Summary(found, {"X1": ""}).rows[0][2] == [str(one)]
    with pytest.raises(KeyError):
        Summary(found, {"X3": ""})
