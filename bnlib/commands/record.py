"""`record`: train the runs that the chapters' profile still misses."""


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "record",
        help="train and record the runs that are missing",
        description="Train the runs of a profile that have no record yet, chapter by chapter, and "
        "record each as it ends. A kill loses only the runs in flight; the same command goes on.",
    )
    parser.add_argument("--profile", default="laptop", choices=("smoke", "laptop", "paper"))
    parser.add_argument(
        "--chapters", nargs="*", default=[], help="such as 03_lenet or 3; default: all"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--workers", type=int, default=1, help="runs side by side (default 1)")
    parser.add_argument("--budget", type=float, help="seconds; no run starts that would pass it")


def run(args) -> int:
    import time

    from bnlib.book import chapter
    from bnlib.book.layout import Book
    from bnlib.study import Study, Unfinished

    device = chapter.pick_device(args.device)
    end = None if args.budget is None else time.monotonic() + args.budget
    book = Book()
    for path in book.pick(args.chapters):
        name, experiments = path.stem, chapter.experiments_of(book.root / path)(args.profile)
        left = None if end is None else max(0.0, end - time.monotonic())
        study = Study(name.split("_", 1)[1], args.profile, device, False, args.workers, left)
        recipes = [recipe for some in experiments.values() for recipe in some]
        missing = study.missing(recipes)
        print(
            f"{name}: {len(set(recipes))} runs in profile {args.profile}, {len(missing)} to train"
        )
        try:
            study.train(missing)
        except Unfinished as budget:
            print(budget)
            return 0
    return 0
