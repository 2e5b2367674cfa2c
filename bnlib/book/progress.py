"""The progress of a study: a bar with the time left, on the terminal and never in a notebook."""

import os
import sys

from tqdm import tqdm

from bnlib.run import Run


class Terminal:
    """The terminal that runs us. In a notebook ``sys.stderr`` is a cell's output, so the copy that
    ipykernel keeps of the process's own stderr is written to: papermill shows it."""

    def __init__(self) -> None:
        self.number = getattr(sys.stderr, "_original_stdstream_copy", None)
        self.stream = sys.stderr if self.number is None else None

    def write(self, text: str) -> None:
        if self.stream is not None:
            self.stream.write(text)
        else:
            os.write(self.number, text.encode())

    def flush(self) -> None:
        if self.stream is not None:
            self.stream.flush()

    def isatty(self) -> bool:
        return os.isatty(self.number if self.stream is None else 2)


class Progress:
    def __init__(self, study: str, total: int):
        self.bar = tqdm(total=total, desc=study, unit="run", file=Terminal(), dynamic_ncols=True)

    def finished(self, run: Run) -> None:
        self.bar.set_postfix_str(f"{run!r} in {run.provenance['seconds']:.0f} s", refresh=False)
        self.bar.update()

    def __enter__(self) -> "Progress":
        self.bar.refresh()
        return self

    def __exit__(self, *reason: object) -> None:
        self.bar.close()
