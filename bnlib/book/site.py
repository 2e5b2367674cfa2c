"""The website: staged pages beside the executed chapters, built by jupyter-book."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bnlib.book import gate, notebooks
from bnlib.book.execute import environment, execute_all
from bnlib.book.layout import Book, digest
from bnlib.errors import BookError

BESIDE = ("_config.yml", "_toc.yml", "references.bib", "_static", "_ext")
FROM_THE_START = ("_config.yml", "_toc.yml", "_static", "_ext")  # what every page depends on


def build(book: Book) -> Path:
    """Execute what changed, build what changed, and return the path of the first page."""
    state = State(book.build / "state.json")
    _execute(book, state)
    check(book)
    stage(book)
    render(book, state)
    return book.html / "index.html"


class State:
    """What the last build was made from, on disk after every step so that a kill costs little."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def __setitem__(self, key: str, value: str | None) -> None:
        self.known[key] = value
        notebooks.write_bytes(json.dumps(self.known, indent=1).encode(), self.path)

    def get(self, key: str) -> str | None:
        return self.known.get(key)


def _execute(book: Book, state: State) -> None:
    shared = digest(
        [
            book.root / name
            for name in ("bnlib", "data/records", "constraints.txt")
            if (book.root / name).exists()
        ],
        book.root,
    )
    wanted = {
        chapter: f"{notebooks.source_digest(book.root / chapter)} {shared}"
        for chapter in book.notebooks()
    }
    stale = [
        chapter
        for chapter, now in wanted.items()
        if state.get(str(chapter)) != now or not (book.staged / chapter).is_file()
    ]
    for chapter in wanted:
        if chapter not in stale:
            print(f"{chapter.stem}: unchanged")

    def finished(chapter: Path) -> None:
        state[str(chapter)] = wanted[chapter]

    execute_all(book, stale, lambda chapter: book.staged / chapter, finished)


def check(book: Book) -> None:
    """Let no page pass that shows what it must not: an error with a line for each finding."""
    found = [
        f"{page.stem}: {finding}"
        for page in book.notebooks()
        for finding in gate.findings(notebooks.read(book.staged / page))
    ]
    if found:
        raise BookError("\n".join([*found, f"the book was not built: {len(found)} findings"]))


def stage(book: Book) -> None:
    """Mirror configuration and pages into the staged tree; touch nothing that is the same."""
    pages = [file for file in book.files() if file.suffix != ".ipynb"]
    kept = set(book.notebooks())
    for name in [*BESIDE, *pages]:
        source = book.root / name
        files = source.rglob("*") if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                relative = file.relative_to(book.root)
                notebooks.write_bytes(file.read_bytes(), book.staged / relative)
                kept.add(relative)
    for file in sorted(book.staged.rglob("*")):
        if file.is_file() and file.relative_to(book.staged) not in kept:
            file.unlink()


def render(book: Book, state: State) -> None:
    """Build the pages of the staged tree, unless they are built already."""
    now = digest([book.staged], book.staged)
    frame = digest([book.staged / name for name in FROM_THE_START], book.staged)
    pickle = book.build / ".doctrees" / "environment.pickle"
    built_here = pickle.is_file() and state.get("pickle") == str(pickle.stat().st_mtime_ns)
    if built_here and state.get("site") == now and (book.html / "index.html").is_file():
        print("site: unchanged")
        return
    if not built_here or state.get("site") is None or state.get("frame") != frame:
        shutil.rmtree(book.build / ".doctrees", ignore_errors=True)
        shutil.rmtree(book.html, ignore_errors=True)
    state["site"] = None  # a page with a warning is not read again: start over after a failure
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    options = ["--path-output", str(book.root), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [sys.executable, "-c", program, "build", str(book.staged), *options],
        cwd=book.staged,
        env=environment(book) | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log = book.build / "site.log"
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if "WARNING" in line or "ERROR" in line]
        for line in said or done.stdout.splitlines()[-15:]:
            print(line, file=sys.stderr)
        raise BookError(f"the site could not be built without warnings: see {log}")
    state["frame"] = frame
    state["pickle"] = str(pickle.stat().st_mtime_ns)
    state["site"] = now
    print("site: built")
