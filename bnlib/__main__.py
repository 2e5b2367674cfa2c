"""`python -m bnlib COMMAND`: each module in bnlib.commands is one command."""

import argparse
import importlib
import pkgutil
import sys

from bnlib import __version__, commands
from bnlib.errors import BookError


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m bnlib",
        description="The BatchNorm book: build it, test it, run a chapter, record its runs.",
        epilog="`python -m bnlib COMMAND --help` tells more about one command.",
    )
    top.add_argument("--version", action="version", version=f"bnlib {__version__}")
    subparsers = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for info in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"bnlib.commands.{info.name}")
        if not hasattr(module, "add_parser"):  # a helper that commands share
            continue
        before = set(subparsers.choices)
        module.add_parser(subparsers)
        for name in set(subparsers.choices) - before:
            subparsers.choices[name].set_defaults(_run=module.run)
    return top


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        return args._run(args)
    except BookError as error:
        print(f"bnlib: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bnlib: interrupted; what was finished is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
