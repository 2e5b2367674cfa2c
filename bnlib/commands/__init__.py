"""The subcommands of `python -m bnlib`: each module has `add_parser(subparsers)` and `run(args)`.

A module here imports nothing heavy at its top: all are read for `--help`.
"""
