"""Executing chapters with papermill, side by side, by the interpreter that runs this code."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat

from bnlib.book import notebooks
from bnlib.book.layout import ROOT, Book
from bnlib.errors import BookError
from bnlib.processes import end

SIDE_BY_SIDE = 2
RUNNING: set[int] = set()  # the processes that execute a chapter now


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
    part = target.with_name(target.stem + ".part.ipynb")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    source = book.root / chapter
    job = {"source": str(source), "target": str(part), "cwd": str(source.parent)}
    command = [sys.executable, "-m", "bnlib.book.worker"]
    # In a session of its own it does not hear the terminal's Ctrl-C: we do, and end it
    worker = subprocess.Popen(
        [*command, json.dumps(job | {"parameters": parameters})],
        env=environment(book),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    RUNNING.add(worker.pid)
    try:
        status = worker.wait()
    except BaseException:
        end(worker.pid)
        raise
    finally:
        RUNNING.discard(worker.pid)
    if status:
        raise BookError(f"chapter {chapter.stem} failed {_reason(part, status)}")
    notebooks.write(notebooks.clean(notebooks.read(part)), part)
    os.replace(part, target)


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


def execute_all(
    book: Book,
    chapters: list[Path],
    target: Callable[[Path], Path],
    finished: Callable[[Path], None] = lambda chapter: None,
) -> None:
    """Execute chapters side by side; after the last, raise what went wrong in any of them."""
    began = time.monotonic()
    failures = []
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        jobs = {
            pool.submit(execute, book, chapter, target(chapter)): chapter for chapter in chapters
        }
        try:
            for job in as_completed(jobs):
                chapter = jobs[job]
                try:
                    job.result()
                except BookError as error:
                    failures.append(str(error))
                    print(f"{chapter.stem}: FAILED", flush=True)
                else:
                    finished(chapter)
                    seconds = time.monotonic() - began
                    print(f"{chapter.stem}: executed ({seconds:.0f} s)", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # none of the others starts
            for pid in list(RUNNING):
                end(pid)
            raise
    if failures:
        raise BookError("\n".join(failures))
