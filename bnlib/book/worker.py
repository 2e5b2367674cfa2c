"""One papermill execution in a process of its own: `python -m bnlib.book.worker JOB`.

JOB is JSON: source, target, cwd, parameters. The target is left where it is when a cell fails: it
holds the error. The kernel's stderr is this process's, so a chapter's progress shows.
"""

import json
import logging
import sys

import papermill
from papermill.exceptions import PapermillExecutionError

STARTS = 3  # of a kernel: a port that it was promised may be another's by then
UNBORN = "before replying"  # what jupyter_client says of a kernel that has run nothing


def main() -> int:
    job = json.loads(sys.argv[1])
    # what it calls unknown parameters are those whose type it cannot read; ours are checked before
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        execute(job)
    except PapermillExecutionError:
        return 1
    return 0


def execute(job: dict) -> None:
    for start in range(1, STARTS + 1):
        try:
            papermill.execute_notebook(
                job["source"],
                job["target"],
                parameters=job["parameters"],
                cwd=job["cwd"],
                kernel_name="python3",
                progress_bar=False,
            )
            return
        except RuntimeError as error:
            if UNBORN not in str(error) or start == STARTS:
                raise


if __name__ == "__main__":
    sys.exit(main())
