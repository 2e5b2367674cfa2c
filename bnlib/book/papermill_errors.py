"""One line for an error of ours in a bare `papermill` terminal.

papermill imports this module at its start (the entry point in pyproject.toml). When a cell fails,
papermill raises an error that carries the cell's rendered traceback; an error of ours renders as
one line, so that line is all that need be printed.
"""

import sys


def _one_line_for_our_errors(kind, error, trace, otherwise=sys.excepthook):
    rendered = getattr(error, "traceback", None)
    if kind.__name__ == "PapermillExecutionError" and rendered and len(rendered) == 1:
        print(rendered[0], file=sys.stderr)
    else:
        otherwise(kind, error, trace)


sys.excepthook = _one_line_for_our_errors
