"""The front page: its table of answers and its list of chapters, from the judged records."""

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import yaml
from IPython.display import Markdown

from bnlib.book import notebooks
from bnlib.book.layout import Book
from bnlib.book.ledger import Ledger
from bnlib.book.stacked import Table
from bnlib.claims.answers import Effect, Question, in_a_word, questions
from bnlib.claims.card import Cards
from bnlib.claims.judge import OPEN
from bnlib.run import Runs

HEADS = ("question", "answer", "how much", "chapter")
WORDS_A_MINUTE = 200
LOOKS = {"yes": "holds", "a little, perhaps": "holds", "partly": "holds-in-part", OPEN: "open"}


def answers(ledger: Ledger) -> Table:
    """A row a question."""
    rows = map(_row, questions(ledger.cards, ledger.runs))
    return Table(HEADS, rows, "answers", markup=True)


def in_short(ledger: Ledger) -> Markdown:
    """The answers in three sentences; nothing where an effect that they name is not recorded."""
    asked = {question.text: question for question in questions(ledger.cards, ledger.runs)}
    epochs, end, stuck, step = (
        [effect.answer for effect in asked[text].effects.values()]
        for text in (
            "Does it train in fewer epochs?",
            "Is it better after the same number of epochs?",
            "Does it train what is stuck without it?",
            "Does a training step take longer?",
        )
    )
    if not all(answer.finding for answer in (*epochs, *end, *stuck, *step)):
        return Markdown("")
    fewer, longer = (sorted(2**a.finding.value for a in some) for some in (epochs, step))
    (lenet, lenet_word), (alexnet, alexnet_word), _ = (
        (answer.size.partition(" (")[0], answer.word) for answer in end
    )
    rescued = "Away from them it trains networks that do not learn without it. " * (
        in_a_word(stuck) == "yes"
    )
    return Markdown(
        "**In short.** With a good learning rate and a good start batch norm mainly saves epochs: "
        f"AlexNet needs {fewer[0]:.1f} to {fewer[-1]:.1f} times fewer. At the end it gains "
        f"{alexnet} ({alexnet_word}), LeNet {lenet} ({lenet_word}). {rescued}It costs "
        f"{100 * (longer[0] - 1):.0f} to {100 * (longer[-1] - 1):.0f} % more time a step on one "
        "processor core. *Why* it works these runs do not settle."
    )


def _row(question: Question) -> tuple[str, ...]:
    look = LOOKS.get(question.word, "not-so")
    return (
        escape(question.text),
        f'<span class="answer {look}">{question.word}</span>',
        "".join(_size(*item, question.word) for item in question.effects.items()),
        ", ".join(
            f'<a href="chapters/{name}.html">{int(name[:2])}</a>' for name in question.chapters
        ),
    )


def _size(name: str, effect: Effect, word: str) -> str:
    """An effect with its size, and with its own word where the question's does not say it."""
    found = effect.answer
    own = f", {found.word}" * (found.word != word and bool(found.size))
    return f'<span class="effect">{escape(f"{name}: {found.size or found.why}{own}")}</span>'


class Contents:
    """A card a chapter: its picture, which the site draws, its question, its answers, how long it
    takes to read, how its claims stand, the scale of its runs."""

    def __init__(self, ledger: Ledger, book: Book | None = None):
        book = book or Book()
        asked = questions(ledger.cards, ledger.runs)
        self.chapters = [
            (
                path.stem,
                title(book.root / path),
                f"{minutes(book.root / path)} minutes",
                *_stands(book.root / path, asked, ledger),
            )
            for path in book.chapters()
        ]

    def __repr__(self) -> str:
        return "\n".join("; ".join(chapter) for chapter in self.chapters)

    def _repr_html_(self) -> str:
        cards = "".join(_card(*chapter) for chapter in self.chapters)
        return f'<div class="contents">{cards}</div>'


def _card(name: str, question: str, time: str, answers: str, claims: str, scale: str) -> str:
    picture = f'<img class="thumbnail" src="_images/thumbnail-{name}.png" alt="">'
    link = f'<a href="chapters/{name}.html">{int(name[:2])} {escape(question)}</a>'
    small = f'<p class="small">{time} to read. {escape(claims)} {escape(scale)}</p>'
    return f"<div>{picture}<p><strong>{link}</strong></p><p>{escape(answers)}</p>{small}</div>"


def title(path: Path) -> str:
    """A notebook's first heading."""
    return notebooks.read(path).cells[0].source.splitlines()[0].removeprefix("# ")


def first_words(path: Path) -> str:
    """The paragraph below a notebook's first heading, as plain text."""
    paragraphs = notebooks.read(path).cells[0].source.split("\n\n")
    return re.sub(r"\*\*|\{[a-z:]+\}|`", "", " ".join(paragraphs[1].split()))


def minutes(path: Path) -> int:
    """To read the text of a notebook, a formula as a word."""
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown"]
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", "x", " ".join(cells), flags=re.DOTALL)
    return math.ceil(len(text.split()) / WORDS_A_MINUTE)


def cite(book: Book | None = None) -> Markdown:
    """How to cite the book, as its file CITATION.cff says."""
    said = yaml.safe_load(((book or Book()).root / "CITATION.cff").read_text(encoding="utf-8"))
    authors = " and ".join(author["name"] for author in said["authors"])
    year = said["date-released"][:4]
    fields = {"author": f"{{{authors}}}", "title": said["title"], "year": year}
    fields["note"] = f"Version {said['version']}"
    entry = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    line = f"{authors} ({year}). *{said['title']}*, version {said['version']}."
    return Markdown(f"{line}\n\n```bibtex\n@misc{{batchnormbook,\n{entry}}}\n```")


def _stands(path: Path, asked: Sequence[Question], ledger: Ledger) -> tuple[str, str, str]:
    name = path.stem
    here = [question.within(name) for question in asked if name in question.chapters]
    cards = ledger.cards.get(name, Cards())
    answers = " ".join(f"{question.text} {question.word.capitalize()}." for question in here)
    return answers or first_words(path), _share(cards), _scale(ledger.runs.get(name, {}))


def _share(cards: Cards) -> str:
    settled, testable = cards.settled
    many = len(cards.judged)
    return f"{many} claim{'s' * (many != 1)}; {settled} of {testable} testable parts settled."


def _scale(runs: Mapping[str, Runs]) -> str:
    """That of the chapter's first experiment, which is its main one."""
    some = next((r for r in runs.values() if isinstance(r, Runs) and len(r)), None)
    return (
        f"Main runs: {some.scale}." if some else "Computed from the formulas; nothing is trained."
    )
