"""Kills, full disks and interruptions: what was finished is kept, nothing half-written counts."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from made_up import SMALL, made_up_run

from bnlib import __main__ as command
from bnlib import paths
from bnlib.errors import BookError
from bnlib.paths import write_whole
from bnlib.records.store import Store, problems, read
from bnlib.study import Study

HOUSE = Path(__file__).parents[1]
RECIPES = [SMALL.but(seed=seed, norm="batch", probes=("affine",), epochs=1) for seed in range(40)]


def no_space(*args, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, call):
    store = Store(tmp_path)
    kept = store.write("one", made_up_run(SMALL.but(seed=1)))
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(paths.os, call, no_space)
    with pytest.raises(BookError) as wrong:
        store.write("one", made_up_run())
    message = str(wrong.value)
    assert "\n" not in message
    assert made_up_run().recipe.id in message
    assert os.strerror(errno.ENOSPC) in message
    assert sorted(tmp_path.rglob("*")) == before
    assert SMALL not in Store(tmp_path)
    assert problems(Store(tmp_path)) == []
    assert read(kept).recipe.seed == 1


def test_a_disk_that_fills_between_the_two_files(tmp_path, monkeypatch):
    """The arrays are written first: alone they are a leftover, never a record."""
    replace, done = os.replace, []

    def once(*args):
        if done:
            no_space()
        done.append(args)
        replace(*args)

    monkeypatch.setattr(paths.os, "replace", once)
    run = made_up_run(values=np.arange(3))
    with pytest.raises(BookError):
        Store(tmp_path).write("one", run)
    monkeypatch.undo()
    store = Store(tmp_path)
    assert run.recipe not in store
    (said,) = problems(store)
    assert "belongs to no record" in said
    store.write("one", run)
    assert problems(store) == []


def test_a_failed_rewrite_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")
    monkeypatch.setattr(paths.os, "fsync", no_space)
    with pytest.raises(BookError):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(paths.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_place_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(BookError, match="cannot write"):
        write_whole(tmp_path / "one" / "file", b"new")


PROGRAM = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
sys.path.insert(0, "tests")
from pathlib import Path
from test_faults import RECIPES
from bnlib import commands
from bnlib.__main__ import script
from bnlib.study import Study

@commands.command()
def study():
    "Train a few small runs."
    print("started", flush=True)
    Study("killed", "paper", root=Path(sys.argv[1]), workers=int(sys.argv[2])).run({"a": RECIPES})

if __name__ == "__main__":
    script(["study"])
"""


def start_study(root: Path, workers: int = 1, records: int = 3) -> subprocess.Popen:
    """A study in a process group of its own, once its first records are there."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, root, str(workers)],
        cwd=HOUSE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    process.stdout.readline()
    give_up = time.monotonic() + 240
    while len(Store(root)) < records:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("wait", [0.0, 0.03, 0.07])  # seconds: kills in different moments
def test_kill_9_keeps_what_was_finished(tmp_path, wait):
    process = start_study(tmp_path)
    time.sleep(wait)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    store = Store(tmp_path)
    finished = [run.recipe for run in store]  # each is read and checked
    assert 3 <= len(finished) < len(RECIPES)
    assert set(finished) == set(RECIPES[: len(finished)])
    for said in problems(store):
        assert "killed" in said or "belongs to no record" in said
    whole = {path: path.read_bytes() for path in store.paths.values()}

    again = Study("killed", "paper", root=tmp_path)
    assert again.missing(RECIPES) == RECIPES[len(finished) :]
    again.run({"a": RECIPES[: len(finished) + 2]})
    assert len(Store(tmp_path)) == len(finished) + 2
    assert all(path.read_bytes() == content for path, content in whole.items())


def alive(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found


# Workers, records, seconds: with one worker and two; while torch or the cluster starts (no record
# yet) and later; as a terminal does, to the whole group, and as `kill -INT` does
MOMENTS = [
    *[(1, 0, wait) for wait in (0.0, 0.5, 1.5)],
    *[(1, 1, wait) for wait in (0.0, 0.02, 0.05)],
    *[(1, 3, wait) for wait in (0.0, 0.03, 0.07, 0.2)],
    *[(2, 0, wait) for wait in (0.3, 1.0, 2.0, 3.0, 4.0)],
    *[(2, 1, wait) for wait in (0.0, 0.05)],
    *[(2, 3, wait) for wait in (0.0, 0.05, 0.3)],
]


def ended(process: subprocess.Popen) -> str:
    """What an interrupted command has said, when it has gone and left no process behind."""
    said = process.communicate(timeout=240)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "bnlib: interrupted; what was finished is kept"
    give_up = time.monotonic() + 30
    while alive(process.pid) and time.monotonic() < give_up:
        time.sleep(0.1)  # a process that has ended takes a moment to vanish
    assert alive(process.pid) == []
    return said


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(MOMENTS)))
def test_ctrl_c_is_one_line_and_keeps_what_was_finished(tmp_path, place):
    workers, records, wait = MOMENTS[place]
    process = start_study(tmp_path, workers, records)
    time.sleep(wait)
    if place % 3:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    ended(process)
    store = Store(tmp_path)
    assert records <= len(store) < len(RECIPES)
    assert len(list(store)) == len(store)
    leftovers = [said for said in problems(store) if "belongs to no record" not in said]
    assert [said for said in leftovers if "was left by a run that was killed" not in said] == []


@pytest.mark.slow
@pytest.mark.parametrize("wait", [1.0, 4.0, 9.0])  # before, while and after the kernel starts
def test_ctrl_c_ends_a_chapter_and_its_kernel(wait):
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from bnlib.__main__ import script;"
        "script('run 03 -p profile smoke -p fresh True -p workers 2'.split())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=HOUSE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(wait)
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    ended(process)
    _, left = psutil.wait_procs(started, timeout=30)
    assert left == []


def test_our_errors_end_a_command_in_one_line(monkeypatch, capsys):
    assert command.main(["record", "--chapters", "99_none"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("bnlib: no chapter '99_none' in _toc.yml (there are: ")
    assert said.count("\n") == 1
