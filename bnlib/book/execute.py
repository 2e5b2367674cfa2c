"""Executing chapters with papermill, side by side, by the interpreter that runs this code."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat

from bnlib.book import notebooks
from bnlib.book.layout import ROOT, Book
from bnlib.errors import BookError
from bnlib.processes import end

SIDE_BY_SIDE = min(6, 1 + (os.cpu_count() or 1))  # one more: kernels wait for each other, too


def environment(book: Book) -> dict[str, str]:
    """The environment in which the kernel "python3" is this interpreter, whatever is installed."""
    kernels = book.build / "jupyter"
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    # else each kernel warns about its connection on our terminal, and calls its end an error
    quiet = ["--log-level=CRITICAL"]
    spec = {"argv": command + quiet, "display_name": "Python 3", "language": "python"}
    target = kernels / "kernels" / "python3" / "kernel.json"
    notebooks.write_bytes(json.dumps(spec).encode(), target)
    earlier = os.environ.get("PYTHONPATH")
    one_thread = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
    )  # two busy torch threads in each of two chapters would be ten times slower
    return (
        os.environ
        | one_thread
        | {
            "JUPYTER_PATH": str(kernels),
            "IPYTHONDIR": str(kernels / "ipython"),
            "PYTHONPATH": os.pathsep.join([str(ROOT)] + ([earlier] if earlier else [])),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
    )


def execute(book: Book, chapter: Path, target: Path, parameters: dict | None = None) -> None:
    """Execute one chapter and put the clean result at `target`, all or nothing."""
    with contextlib.closing(_executed(book, {chapter: target}, parameters)) as ended:
        for _, failure in ended:
            if failure:
                raise BookError(failure)


def execute_all(
    book: Book,
    chapters: list[Path],
    target: Callable[[Path], Path],
    finished: Callable[[Path], None] = lambda chapter: None,
) -> None:
    """Execute chapters side by side; after the last, raise what went wrong in any of them."""
    began = time.monotonic()
    failures = []
    targets = {chapter: target(chapter) for chapter in chapters}
    with contextlib.closing(_executed(book, targets)) as ended:
        for chapter, failure in ended:
            if failure:
                failures.append(failure)
                print(f"{chapter.stem}: FAILED", flush=True)
            else:
                finished(chapter)
                seconds = time.monotonic() - began
                print(f"{chapter.stem}: executed ({seconds:.0f} s)", flush=True)
    if failures:
        raise BookError("\n".join(failures))


def _executed(
    book: Book, targets: dict[Path, Path], parameters: dict | None = None
) -> Iterator[tuple[Path, str]]:
    """Each chapter as it ends, with what went wrong in it; its target is there if nothing did."""
    if not targets:
        return
    parts, jobs = {}, []
    for chapter, target in targets.items():
        part = target.with_name(target.stem + ".part.ipynb")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        source = book.root / chapter
        job = {"source": str(source), "target": str(part), "cwd": str(source.parent)}
        jobs.append(json.dumps(job | {"parameters": parameters}))
        parts[str(part)] = chapter
    # In a session of its own it does not hear the terminal's Ctrl-C: we do, and end it
    worker = subprocess.Popen(
        [sys.executable, "-m", "bnlib.book.worker", str(SIDE_BY_SIDE)],
        env=environment(book),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        with contextlib.suppress(BrokenPipeError), worker.stdin as asked:
            asked.write("\n".join(jobs))
        for line in worker.stdout:
            ended = json.loads(line)
            part = Path(ended["target"])
            chapter = parts.pop(ended["target"])
            if ended["status"]:
                yield chapter, f"chapter {chapter.stem} failed {_reason(part, ended['status'])}"
            else:
                notebooks.write(notebooks.clean(notebooks.read(part)), part)
                os.replace(part, targets[chapter])
                yield chapter, ""
    finally:
        if parts:
            end(worker.pid)
        status = worker.wait()
        worker.stdout.close()
    for chapter in parts.values():
        yield chapter, f"chapter {chapter.stem} failed: its process ended (exit status {status})"


def _reason(part: Path, code: int) -> str:
    """The error that a failed notebook holds, in one line."""
    if part.is_file():
        cells = [
            cell for cell in nbformat.read(part, as_version=4).cells if cell.cell_type == "code"
        ]
        for cell in cells:
            for output in cell.outputs:
                if output.output_type == "error":
                    value = (output.evalue.strip().splitlines() or [""])[-1]
                    return f"in cell {cell.get('id')!r}: {output.ename}: {value} (see {part})"
    return f"without an error from a cell (exit status {code}: did its kernel die?)"
