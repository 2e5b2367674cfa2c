"""The page of the code names every module, and is what the generator writes."""

from bnlib.book import api
from bnlib.paths import HOUSE

STARTED = {
    "__init__",
    "__main__",
    "worker",
    "papermill_errors",
}  # by hand, by a process, by papermill


def test_the_page_is_the_generated_one():
    assert (HOUSE / "api.md").read_text() == api.page(), "python -m bnlib refresh rewrites it"


def test_no_module_is_left_out():
    page = (HOUSE / "api.md").read_text()
    for path in (HOUSE / "bnlib").rglob("*.py"):
        name = ".".join(path.relative_to(HOUSE).with_suffix("").parts)
        shown = f"automodule:: {name}\n" in page or f"\n- `{path.stem}`: " in page
        assert path.stem in STARTED or shown, name
