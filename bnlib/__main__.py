"""``python -m bnlib COMMAND``: reads the command line, and turns errors into one line."""

import argparse
import inspect
import os
import sys
from typing import NoReturn

from bnlib import __version__
from bnlib.commands import COMMANDS
from bnlib.errors import BookError
from bnlib.processes import INTERRUPTED, leave_interrupted


class Parser(argparse.ArgumentParser):
    """argparse, with our kind of error in place of its usage and an exit."""

    def error(self, message: str) -> NoReturn:
        raise BookError(f"{message} (see {self.prog} --help)")


def parser() -> Parser:
    top = Parser(
        prog="python -m bnlib",
        description="The BatchNorm book: build it, test it, run a chapter, record its runs.",
        epilog="python -m bnlib COMMAND --help tells more about one command.",
    )
    top.add_argument("--version", action="version", version=f"bnlib {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        says = inspect.getdoc(command.run)
        first, _, rest = says.partition("\n")
        one = subparsers.add_parser(name, help=first.rstrip("."), description=rest or first)
        one.set_defaults(_run=command.run)
        for names, options in command.arguments:
            one.add_argument(*names, **options)
    return top


def main(argv: list[str] | None = None) -> int:
    try:
        given = vars(parser().parse_args(argv))
        return given.pop("_run")(**given) or 0
    except BookError as error:
        print(f"bnlib: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED


def script(argv: list[str] | None = None) -> NoReturn:
    """``main`` as the only thing that this process does."""
    try:
        status = main(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    if status == INTERRUPTED:
        print("bnlib: interrupted; what was finished is kept", file=sys.stderr)
        leave_interrupted()
    sys.exit(status)


if __name__ == "__main__":
    script()
