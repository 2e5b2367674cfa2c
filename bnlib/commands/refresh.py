"""`refresh`: rewrite the outputs of the committed notebooks."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "refresh",
        help="rewrite the committed notebooks' outputs",
        description="Execute chapters with their own defaults and store the outputs in the "
        "notebooks themselves, without times and other traces of the execution.",
    )
    parser.add_argument("chapters", nargs="*", help="such as 03_lenet or 3 (default: all)")


def run(args) -> int:
    from bnlib.book.layout import Book
    from bnlib.book.refresh import refresh

    refresh(Book(), args.chapters)
    return 0
