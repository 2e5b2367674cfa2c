"""Executing notebooks with papermill: `python -m bnlib.book.worker SIDE_BY_SIDE`.

Jobs come as lines of JSON on stdin (source, target, cwd, parameters); as each ends, a line with its
target and status goes to stdout. A target is left where it is when a cell fails: it holds the
error. The kernels' stderr is this process's, so a chapter's progress shows.

What nearly every chapter imports, a third of its time, is imported here once where there are many:
each job is a fork of this process, and so is its kernel.
"""

import importlib
import json
import logging
import multiprocessing
import os
import sys
from multiprocessing.connection import wait

import papermill
from jupyter_client.provisioning import local_provisioner
from papermill.exceptions import PapermillExecutionError

FORK = multiprocessing.get_context("fork")
EARLY = ("ipykernel.kernelapp", "torch._dynamo", "bnlib.book.plots", "bnlib.claims")
FORKS = sys.platform == "linux"  # elsewhere what torch and matplotlib load may not bear a fork
STARTS = 3  # of a kernel: a port that it was promised may be another's by then
UNBORN = "before replying"  # what jupyter_client says of a kernel that has run nothing


def main() -> None:
    side_by_side, jobs = int(sys.argv[1]), [json.loads(line) for line in sys.stdin]
    warm = FORKS and len(jobs) > side_by_side
    if warm:
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        for name in EARLY:
            importlib.import_module(name)
    running = {}
    while jobs or running:
        while jobs and len(running) < side_by_side:
            job = jobs.pop(0)
            process = FORK.Process(target=work, args=(job, warm))
            process.start()
            running[process.sentinel] = process, job["target"]
        for ended in wait(running):
            process, target = running.pop(ended)
            process.join()
            print(json.dumps({"target": target, "status": process.exitcode}), flush=True)


def work(job: dict, warm: bool) -> None:
    """In a process of its own: execute one notebook, in a ``warm`` kernel or a new one."""
    os.dup2(2, 1)  # stdout is for main's lines
    # what it calls unknown parameters are those whose type it cannot read; ours are checked before
    logging.getLogger("papermill").setLevel(logging.ERROR)
    kernel = Kernel() if warm else None
    if kernel:
        local_provisioner.launch_kernel = kernel.launch
    try:
        execute(job)
    except PapermillExecutionError:
        sys.exit(1)
    finally:
        if kernel:
            kernel.kill()  # where it was never launched, or has not heard that it is over


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


class Kernel(FORK.Process):
    """A kernel that is forked before there are sockets or threads, and begins when it is launched;
    to jupyter_client it is a ``subprocess.Popen``."""

    stdin = stdout = stderr = None
    start_another = staticmethod(local_provisioner.launch_kernel)  # the first died: a fresh one

    def __init__(self):
        super().__init__()
        self.asked, self.ask = FORK.Pipe(duplex=False)
        self.start()
        os.setpgid(self.pid, self.pid)  # jupyter_client signals a kernel's whole group

    def launch(self, cmd: list[str], env: dict[str, str], **more):
        if self.ask.closed:
            return self.start_another(cmd, env=env, **more)
        self.ask.send((cmd, os.getcwd(), env))  # papermill goes where the chapter is
        self.ask.close()
        return self

    def run(self) -> None:
        self.ask.close()
        try:
            cmd, cwd, env = self.asked.recv()
        except EOFError:  # never launched
            return
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        sys.argv = cmd[2:]  # without python -m
        from ipykernel.kernelapp import launch_new_instance

        launch_new_instance()

    def poll(self) -> int | None:
        return self.exitcode

    def wait(self) -> int | None:
        self.join()
        return self.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


if __name__ == "__main__":
    main()
