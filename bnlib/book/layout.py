"""Where a book keeps its parts."""

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from bnlib.errors import BookError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Book:
    """A folder with `_toc.yml`, pages and `chapters/`; what is built goes to its `_build/`."""

    root: Path = ROOT

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def staged(self) -> Path:
        """The source of the site: executed chapters with configuration and pages beside them."""
        return self.build / "executed"

    @property
    def html(self) -> Path:
        return self.build / "html"

    def files(self) -> list[Path]:
        """Every page and chapter of the table of contents, relative to the root, in its order."""
        toc, found = self._toc(), []
        for name in _named_files(toc):
            for suffix in ("", ".ipynb", ".md"):
                if (self.root / (name + suffix)).is_file():
                    found.append(Path(name + suffix))
                    break
            else:
                raise BookError(f"_toc.yml names {name!r}, but there is no such .ipynb or .md file")
        return found

    def _toc(self) -> dict:
        path = self.root / "_toc.yml"
        try:
            toc = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as wrong:
            raise BookError(f"{path} cannot be read: {' '.join(str(wrong).split())}") from None
        if not isinstance(toc, dict) or not _named_files(toc):
            raise BookError(f"{path} names no page: take it from the repository again")
        return toc

    def notebooks(self) -> list[Path]:
        """Every page that is executed: the chapters, and pages of what is computed from them."""
        return [file for file in self.files() if file.suffix == ".ipynb"]

    def chapters(self) -> list[Path]:
        """The notebooks that have parameters and runs of their own."""
        return [file for file in self.notebooks() if file.parent.name == "chapters"]

    def pick(self, names: list[str], among: list[Path] | None = None) -> list[Path]:
        """The chapters called `names` (`03_lenet`, `lenet`, `3` or a path); all where none is."""
        chapters = self.chapters() if among is None else among
        return [self._one(name, chapters) for name in names] or chapters

    def _one(self, name: str, chapters: list[Path]) -> Path:
        wanted = Path(name).stem
        for chapter in chapters:
            number, _, title = chapter.stem.partition("_")
            if wanted in (chapter.stem, title, number, number.lstrip("0")):
                return chapter
        stems = [chapter.stem for chapter in chapters]
        close = difflib.get_close_matches(wanted, stems, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise BookError(f"no chapter {name!r} in _toc.yml (there are: {', '.join(stems)}){hint}")


def _named_files(node) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _named_files(item)]
    if isinstance(node, dict):
        own = [str(node[key]) for key in ("root", "file") if key in node]
        deeper = [
            name
            for key in ("parts", "chapters", "sections")
            for name in _named_files(node.get(key, []))
        ]
        return own + deeper
    return []


def digest(paths, root: Path) -> str:
    """A hash over the names and the contents of files and of all files in folders."""
    seen = hashlib.sha256()
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if file.is_file() and "__pycache__" not in file.parts:
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                seen.update(f"{file.relative_to(root)} {content}\n".encode())
    return seen.hexdigest()
