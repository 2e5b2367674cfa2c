"""`test`: lint, unit tests, and the chapters' stored outputs against what their code prints."""

WORKERS = ["-n", "2", "--dist", "loadfile"]


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "test",
        help="check the code and the chapters' stored outputs",
        description="Run ruff, the unit tests, and nbval over the chapters; each of them, "
        "even where an earlier one fails.",
    )
    parser.add_argument("--all", action="store_true", help="the slow tests too")


def steps(python: str, everything: bool) -> dict[str, list[str]]:
    """What to run: by name, the command."""
    pytest = [python, "-m", "pytest", "-q", *WORKERS]
    return {
        "lint": [python, "-m", "ruff", "check", "."],
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "tests": [*pytest, "-rs", "-m", "" if everything else "not slow", "tests"],
        "chapters": [*pytest, "--nbval", "--nbval-current-env", "chapters"],
    }


def run(args) -> int:
    import subprocess
    import sys

    from bnlib.book.execute import environment
    from bnlib.book.layout import ROOT, Book

    failed = []
    for name, command in steps(sys.executable, args.all).items():
        print(f"== {name}: {' '.join(command[2:])}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=environment(Book()), check=False).returncode:
            failed.append(name)
    print(f"FAILED: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0
