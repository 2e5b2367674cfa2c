"""Shapes that the tables of the pages share: an arm's runs in a cell, a table with its caption."""

from collections.abc import Mapping

from IPython.display import Markdown

from bnlib.analysis.learning import EVALUATIONS, PRECISE, RUNNING, accuracy, learned
from bnlib.analysis.stats import mean_interval
from bnlib.catalogue import NORMS
from bnlib.run import Runs

EACH = 3  # runs of an arm that are shown one by one


def percent(arm: Runs, how: str = RUNNING) -> str:
    """Test accuracies: up to three runs one by one, of more the mean ± half of the interval. Where
    some of many do not learn, how many do: a mean would mix two outcomes."""
    values, learns = accuracy(arm, how), learned(arm, how)
    if len(arm) <= EACH:
        return " · ".join(f"{value:.1f}" for value in values)
    if not learns.all():
        return f"{learns.sum()} of {len(arm)} learn"
    middle, half = mean_interval(values)
    return f"{middle:.1f} ± {half:.1f}"


def both(arm: Runs) -> dict[str, str]:
    """Under both evaluations, for the rows of a table; without averages there is only one."""
    averages = all(NORMS[run.recipe.norm].averages for run in arm)
    return {how: percent(arm, how) if averages or how != PRECISE else "–" for how in EVALUATIONS}


def numbered(
    rows: Mapping[str, Mapping[str, str]],
    corner: str,
    name: str,
    caption: str,
    prose: bool = False,
) -> Markdown:
    """A table with a number and a caption; ``corner`` heads the column of the rows' names. One of
    ``prose`` is shown row by row on a phone. Its cell has the metadata ``mystnb: {markdown_format:
    myst}``."""
    heads = [corner, *dict.fromkeys(head for row in rows.values() for head in row)]
    lines = [heads, ["---"] * len(heads)]
    lines += [[label, *(row.get(head, "–") for head in heads[1:])] for label, row in rows.items()]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    look = ":class: prose\n" * prose
    return Markdown(f":::{{table}} {caption}\n:name: {name}\n{look}\n{body}\n:::")


def folded(title: str, *parts: str | Markdown) -> Markdown:
    """Texts and tables below a title that opens them; its cell has the same metadata."""
    inside = "\n\n".join(part if isinstance(part, str) else part.data for part in parts)
    return Markdown(f"::::{{admonition}} {title}\n:class: dropdown\n\n{inside}\n::::")
