"""The checks behind the command ``test``: what is run, and on which arithmetic."""

import subprocess
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from bnlib.book.execute import environment
from bnlib.book.layout import ROOT, Book

SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
# Other processors, as this one can pretend to be them: what rounding decides must show here
ARITHMETICS = {
    "SSE": {"ATEN_CPU_CAPABILITY": "default", "DNNL_MAX_CPU_ISA": "SSE41"},
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "DNNL_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "2"},
}
LIVE = "motivation or batchnorm"  # the chapters that compute on the page; others train and replay
COMPUTING = ("01_motivation", "02_batchnorm", "measure", "background")  # pages that do
# Tests of files, processes, pages and of numbers that are made up: no arithmetic changes them
NOT_COMPUTING = (
    *("alexnet_speed", "damaged_chapters", "parameters", "shift_pages", "study_pages", "touch"),
    *("alexnet_tables", "api_page", "banner", "book_*", "catalogue", "chapter", "claims*"),
    *("course", "cuda", "data_files", "experiments", "faults", "findings", "first_*", "front"),
    *("gate", "narrow"),
    *("judge", "landscape_pages", "landscape_series", "learning", "ledger", "lenet_page"),
    *("notebooks", "price", "rate_slider", "recipe", "records", "scale", "site*", "smoke", "speed"),
    *("stats", "study", "smoke_profile", "vgg_tables", "workers"),
)


class Check(NamedTuple):
    command: list[str]
    settings: Mapping[str, str] = MappingProxyType({})  # environment variables


def checks(everything: bool) -> dict[str, Check]:
    """What to run, by name."""
    pytest = [sys.executable, "-m", "pytest", "-q", *SIDE_BY_SIDE]
    ruff = [sys.executable, "-m", "ruff"]
    nbval = [*pytest, "--nbval", "--nbval-current-env"]
    pages = Book().notebooks()
    found = {
        "lint": Check([*ruff, "check", "."]),
        "format": Check([*ruff, "format", "--check", "."]),
        "tests": Check(
            [*pytest, "-rs", "--durations=10", "-m", "" if everything else "not slow", "tests"]
        ),
        "chapters": Check([*nbval, *map(str, pages)]),
    }
    if everything:
        ignored = [f"--ignore-glob=*/test_{name}.py" for name in NOT_COMPUTING]
        shown = [*nbval, *(str(page) for page in pages if page.stem in COMPUTING)]
        computing = [*pytest, "-m", "not slow and not browser", *ignored, "tests"]
        for name, settings in ARITHMETICS.items():
            # torch.compile would take another arithmetic's machine code for its own
            own = settings | {"TORCHINDUCTOR_CACHE_DIR": str(Book().build / "inductor" / name)}
            found[f"tests with {name}"] = Check(computing, own)
            found[f"chapters with {name}"] = Check(shown, own)  # what they print is the same
            live = [*pytest, "-k", LIVE, "tests/test_smoke.py"]
            found[f"live chapters with {name}"] = Check(live, own)
    return found


def run_checks(everything: bool) -> int:
    """Run them all, even where one fails; the exit status."""
    failed = []
    for name, check in checks(everything).items():
        print(f"== {name}: {' '.join(check.command[2:])}", flush=True)
        env = environment(Book()) | dict(check.settings)
        if subprocess.run(check.command, cwd=ROOT, env=env, check=False).returncode:
            failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0
