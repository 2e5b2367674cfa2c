"""`cost`: what the chapters' runs cost before they are made."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "cost",
        help="estimate what the experiments cost before they are run",
        description="For every experiment of a profile: its runs and how many are missing, their "
        "kernel launches, FLOP and bytes, and the minutes they would take on a card or on this "
        "CPU. Nothing is trained; estimates.",
    )
    parser.add_argument("--profile", default="paper", choices=("smoke", "laptop", "paper"))
    parser.add_argument(
        "--chapters", nargs="*", default=[], help="such as 03_lenet or 3; default: all"
    )
    parser.add_argument("--on", default="h100", metavar="CARD", help="h100 (default) or cpu")


def run(args) -> int:
    from bnlib.book.cost import cost

    cost(args.profile, args.chapters, args.on)
    return 0
