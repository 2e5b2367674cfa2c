"""`bench`: every benchmark, one after the other."""


def add_parser(subparsers) -> None:
    subparsers.add_parser(
        "bench",
        help="print the speed ratios",
        description="Run every benchmarks/bench_*.py. Ratios are measured within one run; leave "
        "the machine otherwise idle.",
    )


def run(args) -> int:
    import subprocess
    import sys

    from bnlib.book.layout import ROOT

    failed = 0
    for path in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        print(f"== {path.stem}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{path.stem}"]
        failed += subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    return 1 if failed else 0
