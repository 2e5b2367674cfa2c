"""`verify`: is every record whole, and which profiles are complete?"""


def add_parser(subparsers) -> None:
    subparsers.add_parser(
        "verify",
        help="check every record, and tell which profiles are complete",
        description="Read every record under data/records, check its sums and its name, and count "
        "what each chapter's profiles still miss. Exit status 1 where a record is damaged.",
    )


def run(args) -> int:
    from bnlib.book import chapter
    from bnlib.book.layout import Book
    from bnlib.paths import RECORDED
    from bnlib.records.store import Store, problems

    store = Store(RECORDED)
    found = problems(store)
    for problem in found:
        print(problem)
    print(f"{len(store)} records, {len(found)} problems")
    book = Book()
    for path in book.chapters():
        experiments = chapter.experiments_of(book.root / path)
        for profile in ("laptop", "paper"):
            recipes = {recipe for some in experiments(profile).values() for recipe in some}
            if recipes:
                have = sum(recipe in store for recipe in recipes)
                print(f"{path.stem}: {profile} {have} of {len(recipes)} recorded")
    return 1 if found else 0
