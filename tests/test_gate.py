"""The gate of the pages' outputs: what it stops, on made-up outputs, and what it lets pass."""

import pytest
from nbformat.v4 import new_output

from bnlib.book import gate, notebooks, site
from bnlib.errors import BookError


def printed(text):
    return new_output("stream", name="stdout", text=text)


def plain(text):
    return new_output("execute_result", data={"text/plain": text})


def html(text):
    return new_output("execute_result", data={"text/html": text, "text/plain": "False ± 1"})


def markdown(text):
    return new_output("display_data", data={"text/markdown": text, "text/plain": "False"})


def frame(cell, head="test accuracy (%)", row="BN", caption=""):
    said = f'<p class="table-caption"><em>{caption}</em></p>' if caption else ""
    return html(
        f"{said}<table><thead><tr><th></th><th>{head}</th></tr></thead>"
        f"<tbody><tr><th>{row}</th><td>{cell}</td></tr></tbody></table>"
    )


def table(cell, head="batch norm", caption="Test error (%) by rate"):
    return markdown(f":::{{table}} {caption}\n:name: t\n\n| rate | {head} |\n| --- | --- |\n"
                    f"| 0.1 | {cell} |\n:::")  # fmt: skip


STOPPED = {
    "a printed False": (printed("it holds: True\nELU: False\n"), "prints False: ELU: False"),
    "a value False": (plain("False"), "prints False"),
    "False in a table": (frame("False"), "prints False"),
    "False in a sentence": (markdown("All equal: **False**."), "prints False"),
    "the table of old": (frame("40.00 ± 125.97"), "leaves 0 to 100 %: 40.00 ± 125.97"),
    "below 0": (table("1.3 ± 1.4"), "leaves 0 to 100 %"),
    "by its row": (frame("99 ± 2", head="value", row="accuracy, BN"), "leaves 0 to 100 %"),
    "by the caption": (frame("99 ± 2", head="BN", caption="Test accuracy"), "leaves 0 to 100 %"),
    "in brackets": (table("0.4 (−0.2 to 1.0)"), "leaves 0 to 100 %: 0.4 (−0.2 to 1.0)"),
    "unbroken": (frame("98.2 (96\u2060–\u2060100.4)"), "leaves 0 to 100 %"),
    "with a dash": (table("98.2 (96–100.4)"), "leaves 0 to 100 %"),
    "in a sentence": (markdown("It reads 97.1 ± 3.0 % of them."), "leaves 0 to 100 %"),
    "unit in brackets": (markdown("Some 3 % (−1 to 7 %) fail."), "leaves 0 to 100 %"),
    "printed": (printed("test accuracy of BN: 98.7 ± 1.5 (n = 3)\n"), "leaves 0 to 100 %"),
    "a ratio": (table("2.1× (−0.3–4.5)", head="spread"), "has a ratio below 0"),
    "a ratio in a sentence": (markdown("That is 2× (−1 to 5) as much."), "has a ratio below 0"),
}
PASSED = {
    "True": printed("it holds: True\n"),
    "a word with False in it": printed("Falsehood, is_False, torch.False_\n"),
    "a listing": markdown("```python\nfresh: bool = False\n```\nand `fresh=False`."),
    "a folded listing": html("<details><pre>fresh: bool = False</pre></details>"),
    "within the range": frame("98.71 ± 0.05"),
    "to its very ends": table("50 ± 50"),
    "three runs": table("78.2 · 81.4 · 88.2"),
    "a difference": table("−0.55 points (−2.59 to 1.49)"),
    "another measure": table("120 (95–145)", head="epochs to the end"),
    "a loss": frame("0.1 ± 0.3", head="test loss", caption="Test accuracy and loss"),
    "no unit": printed("gain: 0.1 ± 0.3\n"),
    "a ratio": table("0.037× (0.0063–0.22)", head="spread"),
}


@pytest.mark.parametrize(("output", "said"), STOPPED.values(), ids=STOPPED)
def test_is_stopped(clean_chapter, output, said):
    clean_chapter.cells[2].outputs = [output]
    (finding,) = gate.findings(clean_chapter)
    assert finding.startswith("cell 3 (setup) ")
    assert said in finding


@pytest.mark.parametrize("output", PASSED.values(), ids=PASSED)
def test_passes(clean_chapter, output):
    clean_chapter.cells[2].outputs = [output]
    assert gate.findings(clean_chapter) == []


def figure(chapter):
    cell = chapter.cells[3]
    return cell, cell.metadata["mystnb"]["figure"]


@pytest.mark.parametrize("caption", ["A dot.", "Accuracy against the rate; mean and interval."])
def test_a_caption_without_scale_is_stopped(clean_chapter, caption):
    figure(clean_chapter)[1]["caption"] = caption
    (finding,) = gate.findings(clean_chapter)
    assert finding.startswith("cell 4 (fig-dot) shows a figure without scale")


@pytest.mark.parametrize(
    "caption",
    ["A dot (n = 3).", "Thin lines are seeds.", "Over eight nets.", "2,000 training images."],
)
def test_a_caption_with_its_scale_passes(clean_chapter, caption):
    figure(clean_chapter)[1]["caption"] = caption
    assert gate.findings(clean_chapter) == []


def test_a_scale_from_the_runs_passes_and_so_does_a_drawing(clean_chapter):
    cell, about = figure(clean_chapter)
    about["caption"] = "A dot."
    cell.outputs[0].metadata["image/png"] = {"scale": "laptop · LeNet · n = 3"}
    assert gate.findings(clean_chapter) == []
    cell.outputs[0].metadata["image/png"] = {"scale": ""}
    assert len(gate.findings(clean_chapter)) == 1
    cell.metadata["tags"] = ["drawing"]
    assert gate.findings(clean_chapter) == []


def test_the_build_stops_with_a_line_for_each_finding(book, clean_chapter):
    for name, text in (("01_one", "ELU: False"), ("02_two", "accuracy: 99 ± 2 %")):
        clean_chapter.cells[2].outputs = [printed(text)]
        notebooks.write(clean_chapter, book.staged / "chapters" / f"{name}.ipynb")
    with pytest.raises(BookError) as caught:
        site.check(book)
    assert str(caught.value).splitlines() == [
        "01_one: cell 3 (setup) prints False: ELU: False",
        "02_two: cell 3 (setup) shows an interval that leaves 0 to 100 %: 99 ± 2 %",
        "the book was not built: 2 findings",
    ]


@pytest.mark.slow
def test_a_chapter_that_prints_false_builds_no_site(book):
    path = book.root / book.chapters()[0]
    notebook = notebooks.read(path)
    notebook.cells[2].source = "print(1 > 2)"
    notebooks.write(notebook, path)
    with pytest.raises(BookError, match=r"01_one: cell 3 \(setup\) prints False"):
        site.build(book)
    assert not book.html.exists()
