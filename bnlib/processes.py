"""Ending what was started, and what that has started in turn: nothing goes on behind a prompt."""

import contextlib
import os
import signal
import sys
from typing import NoReturn

PATIENCE = 5  # seconds that the system may take to end a process that was killed
INTERRUPTED = 130  # exit status of a command that Ctrl-C has ended


def end(pid: int) -> None:
    """Kill a process and its descendants. Records are written whole, so none is lost by it."""
    _kill(pid, itself=True)


def _kill(pid: int, itself: bool) -> None:
    try:
        import psutil
    except ImportError:  # a machine that only records, without workers: there are no others
        return
    processes = []
    with contextlib.suppress(psutil.NoSuchProcess):
        one = psutil.Process(pid)
        processes = [*one.children(recursive=True), *[one] * itself]
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=PATIENCE)


def leave_interrupted() -> NoReturn:
    """End this process at once, after Ctrl-C: what it started first, and without the farewells of
    libraries, which would print tracebacks over our last line."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough
    _kill(os.getpid(), itself=False)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)
