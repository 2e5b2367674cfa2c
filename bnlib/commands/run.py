"""`run`: one chapter with parameters of the reader's choice."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "run",
        help="run one chapter with other parameters",
        description="Execute one chapter with papermill into _build/runs/. Without -p it lists the "
        "chapter's parameters.",
        epilog="A value is read as Python: 3, 1e-3, True, None, [0.1, 0.9]; anything else is text.",
    )
    parser.add_argument("chapter", help="such as 03_lenet or 3")
    parser.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="a parameter and its value; may be given several times",
    )
    parser.add_argument("--defaults", action="store_true", help="run with every parameter as it is")


def run(args) -> int:
    from bnlib.book.layout import Book
    from bnlib.book.parameters import declared, run_chapter

    book = Book()
    (chapter,) = book.pick([args.chapter])
    if not args.parameters and not args.defaults:
        print(f"parameters of {chapter.stem} (with --defaults it runs as it is):")
        for name, parameter in declared(book, chapter).items():
            print(f"  {name}: {parameter['type']} = {parameter['default']}   {parameter['help']}")
        return 0
    print(f"done: {run_chapter(book, chapter, dict(args.parameters))}")
    return 0
