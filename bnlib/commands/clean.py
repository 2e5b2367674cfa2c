"""`clean`: remove what the commands built; records and data sets stay."""


def add_parser(subparsers) -> None:
    subparsers.add_parser(
        "clean",
        help="remove what was built (_build and caches); records and data sets stay",
        description="Remove _build/ and the caches. data/ is left alone.",
    )


def run(args) -> int:
    import shutil

    from bnlib.book.layout import ROOT

    caches = [ROOT / name for name in (".pytest_cache", ".ruff_cache", ".hypothesis")]
    compiled = [
        path
        for top in ("bnlib", "tests", "benchmarks", "chapters", "_ext")
        for path in (ROOT / top).rglob("__pycache__")
    ]
    for path in [ROOT / "_build", *caches, *compiled]:
        if path.exists():
            shutil.rmtree(path)
            print(f"removed {path.relative_to(ROOT)}")
    return 0
