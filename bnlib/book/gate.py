"""The gate of a page: what its outputs must not show. `findings` lists what they do.

- A printed ``False``: a check that did not hold. Listings of code do not count.
- An interval that leaves the range of its measure. Intervals are written ``a ± h``, ``a (low to
  high)`` or ``a (low–high)``. One is a percentage, and stays within 0 and 100, where ``%`` follows
  one of its numbers, or where it carries no unit and the title of its column or row says ``%`` or
  ``accuracy``, or else the caption does; a ratio, with ``×``, stays above 0. A column's own title
  decides before the caption, and in other units (points, epochs) there is no range.
- A figure without caption, name, alt text or scale. The scale is what the figure's runs say of
  themselves, else words of its caption; a drawing, in which nothing is measured, has the cell tag
  ``drawing``.
"""

import re
from collections.abc import Iterator, Sequence

import nbformat
from bs4 import BeautifulSoup

PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
DRAWING = "drawing"
FALSE = re.compile(r"(?<![\w.“\"'`])False(?![\w”\"'`])")
NUMBER = r"[−+-]?(?:\d[\d,]*)?\.?\d+(?:e[−+-]?\d+)?"
UNIT = r"\s*(%|×|points?|epochs?|nats|s\b|ms\b)?"
INTERVAL = re.compile(
    rf"({NUMBER}){UNIT}\s*(?:±\s*({NUMBER}){UNIT}"
    rf"|\(({NUMBER}){UNIT}\s*(?:to|–)\s*({NUMBER}){UNIT}\)){UNIT}"
)
PERCENT = re.compile(r"%|\baccurac(?:y|ies)\b", re.IGNORECASE)
OTHER = re.compile(r"epoch|loss|time|points|spread|change|ratio|×|\bβ", re.IGNORECASE)
COUNTED = (
    r"n = \d|\bseeds?\b|\b(?:paper|laptop) ·|"
    r"\b(?:one|two|three|four|five|six|eight|ten|\d[\d,]*)\s(?:\w+\s)?"
    r"(?:nets?|networks?|layers|runs|units|channels|values|steps|walkers|images|pictures|digits)\b"
)
SCALE = re.compile(COUNTED, re.IGNORECASE)


def findings(notebook: nbformat.NotebookNode) -> list[str]:
    """Each finding in a sentence that names the cell; an empty list for a page that may pass."""
    return [
        f"cell {number} ({cell.get('id', 'no id')}) {finding}"
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "code"
        for finding in of_cell(cell)
    ]


def of_cell(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        for texts, caption in _shown(output):
            for text in texts:
                yield from _of_text(text, caption)
        if any(kind in output.get("data", {}) for kind in PICTURES):
            yield from _of_figure(cell.metadata, output.metadata)


def _of_text(text: str, unit: str) -> Iterator[str]:
    text = text.replace("\u2060", "")  # where a line must not end
    if FALSE.search(text):
        yield f"prints False: {_short(text)}"
    for interval in INTERVAL.finditer(text):
        if outside := _outside(interval, unit):
            yield f"shows an interval that {outside}: {interval.group(0).strip()}"


def _outside(interval: re.Match, unit: str) -> str:
    first, own, half, *_ = interval.groups()
    low, high = interval.group(5), interval.group(7)
    own = next((interval.group(g) for g in (2, 4, 6, 8, 9) if interval.group(g)), unit)
    if half:
        ends = _value(first) - _value(half), _value(first) + _value(half)
    else:
        ends = _value(low), _value(high)
    if own == "%" and not (ends[0] >= 0 and ends[1] <= 100):
        return "leaves 0 to 100 %"
    if own == "×" and ends[0] < 0:
        return "has a ratio below 0"
    return ""


def _value(number: str) -> float:
    return float(number.replace("−", "-").replace(",", ""))


def _shown(output: nbformat.NotebookNode) -> Iterator[tuple[Sequence[str], str]]:
    """What an output shows: texts, and the unit of numbers in them that have none."""
    data = output.get("data", {})
    if output.output_type == "stream":
        for line in output.text.splitlines():
            yield [line], _unit(line)
    elif "text/html" in data:
        yield from _of_html(data["text/html"])
    elif "text/markdown" in data:
        yield from _of_markdown(data["text/markdown"])
    elif not any(kind in data for kind in PICTURES):
        for line in data.get("text/plain", "").splitlines():
            yield [line], _unit(line)


def _unit(*titles: str) -> str:
    """The unit that the nearest title which names a measure gives to bare numbers."""
    for title in titles:
        if OTHER.search(title) and "%" not in title:
            return ""
        if PERCENT.search(title):
            return "%"
    return ""


def _of_html(html: str) -> Iterator[tuple[Sequence[str], str]]:
    page = BeautifulSoup(html, "html.parser")
    for left_out in page(["style", "script", "pre", "code"]):
        left_out.decompose()
    for table in page("table"):
        caption = table.caption or table.find_previous(class_="table-caption")
        rows = [row(["th", "td"]) for row in table("tr")]
        yield from _of_table(
            [[cell.get_text(" ", strip=True) for cell in row] for row in rows],
            caption.get_text(" ", strip=True) if caption else "",
        )
        table.decompose()
    yield [page.get_text(" ", strip=True)], ""


def _of_markdown(text: str) -> Iterator[tuple[Sequence[str], str]]:
    text = re.sub(r"^(```+)[^\n]*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    caption, rows, rest = "", [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("| ").split(" | ")])
            continue
        if rows:
            yield from _of_table(rows, caption)
            rows = []
        if named := re.match(r":{3,}\{table\}(.*)", line):
            caption = named.group(1)
        rest.append(line)
    yield ["\n".join(rest)], ""


def _of_table(rows: Sequence[Sequence[str]], caption: str) -> Iterator[tuple[Sequence[str], str]]:
    if not rows:
        return
    heads = rows[0]
    yield heads, ""
    yield [caption], ""
    for row in rows[1:]:
        for place, cell in enumerate(row):
            head = heads[place] if place < len(heads) else ""
            yield [cell], _unit(head, row[0] if place else "", caption)


def _of_figure(of_cell, of_output) -> Iterator[str]:
    mystnb = of_cell.get("mystnb", {})
    figure = mystnb.get("figure", {})
    caption = str(figure.get("caption") or "")
    for what, value in (
        ("caption", caption),
        ("name", figure.get("name")),
        ("alt text", mystnb.get("image", {}).get("alt")),
    ):
        if not str(value or "").strip():
            yield f"shows a figure without {what}"
    computed = any(of_output.get(kind, {}).get("scale") for kind in PICTURES)
    drawing = DRAWING in of_cell.get("tags", [])
    if caption.strip() and not (computed or drawing or SCALE.search(caption)):
        yield "shows a figure without scale: its caption does not say of how many runs, or of what"


def _short(text: str) -> str:
    line = next(line for line in text.splitlines() if FALSE.search(line)).strip()
    return line if len(line) <= 80 else f"{line[:79]}…"
