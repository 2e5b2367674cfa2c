"""Running a chapter with parameters, naming chapters, errors and help on the command line."""

import fnmatch
import subprocess
import sys

import psutil
import pytest

from bnlib import commands
from bnlib.__main__ import main
from bnlib.book import checks, execute, notebooks, parameters
from bnlib.book.layout import ROOT, Book
from bnlib.commands import COMMANDS
from bnlib.errors import BookError
from bnlib.study import Study


def test_run_with_parameters_goes_aside_and_refuses_misspelt_names(book):
    one = book.chapters()[0]
    before = (book.root / one).read_bytes()
    with pytest.raises(
        BookError, match=r"no parameter 'wrd' \(it has: word\); did you mean 'word'"
    ):
        parameters.run_chapter(book, one, {"wrd": "x"})
    target = parameters.run_chapter(book, one, {"word": "[1, two"})
    assert notebooks.read(target).cells[-1].outputs[0].text == "[1, two\n"
    assert target.is_relative_to(book.build)
    assert (book.root / one).read_bytes() == before


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("true", True),
        ("None", None),
        ("[.1, .9]", [0.1, 0.9]),
        ("cuda", "cuda"),
        ("'3'", "3"),
        ("../x y", "../x y"),
    ],
)
def test_values_on_the_command_line(text, meant):
    value = parameters.value(text)
    assert value == meant
    assert type(value) is type(meant)


def test_chapters_are_found_by_number_name_or_path(book):
    two = book.chapters()[1]
    for name in ("2", "02", "two", "02_two", "chapters/02_two.ipynb"):
        assert book.pick([name]) == [two]
    with pytest.raises(BookError, match=r"there are: 01_one, 02_two\); did you mean '02_two'"):
        book.pick(["02_tow"])
    (book.root / two).unlink()
    with pytest.raises(BookError, match=r"_toc.yml names 'chapters/02_two'"):
        book.chapters()


def test_errors_of_ours_are_one_line_and_exit_2(capsys):
    assert main(["run", "no_such_chapter", "-p", "a", "1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("bnlib: no chapter 'no_such_chapter'")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("record --device tpu", "unknown device 'tpu'"),
        ("record --device cuda:3", "device 'cuda:3' is not there"),
        ("record --workers 0", "workers 0 is out of range: choose 1 to 64"),
        ("record --workers -1", "workers -1 is out of range"),
        ("record --workers 1000", "workers 1000 is out of range"),
        ("record --workers two", "argument --workers: invalid int value: 'two'"),
        ("record --budget -3", "budget -3 is out of range"),
        ("record --budget nan", "budget nan is out of range"),
        ("record --budget soon", "argument --budget: invalid float value: 'soon'"),
        ("record --chapters 3 99_none", "no chapter '99_none' in _toc.yml"),
        ("record --profile huge", "argument --profile: invalid choice: 'huge'"),
        ("run", "the following arguments are required: chapter"),
        ("recrod", "argument COMMAND: invalid choice: 'recrod'"),
        ("", "the following arguments are required: COMMAND"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_trained(capsys, monkeypatch, given, said):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(Study, "train", None)  # calling it would fail
    assert main(given.split()) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"bnlib: {said}")
    assert captured.out == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(capsys, name):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"usage: python -m bnlib {name} ")
    for names, options in COMMANDS[name].arguments:
        assert names[0] in said
        assert "choices" in options or " ".join(options["help"].split()) in said


def test_a_command_is_a_function(monkeypatch, capsys):
    monkeypatch.setattr(commands, "COMMANDS", mine := {})
    monkeypatch.setattr("bnlib.__main__.COMMANDS", mine)

    @commands.command(commands.argument("--times", type=int, default=2, help="how often"))
    def greet(times):
        """Say hello.

        As often as you like.
        """
        print("hello " * times)
        return times

    assert main(["greet", "--times", "3"]) == 3
    assert capsys.readouterr().out == "hello hello hello \n"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "greet Say hello" in " ".join(capsys.readouterr().out.split())


def workers() -> list[psutil.Process]:
    """The processes that execute chapters, their kernels among them."""
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if "bnlib.book.worker" in one.cmdline()]


def test_an_interruption_ends_what_is_being_executed(book, monkeypatch):
    seen = []

    def interrupt(chapter):
        seen.extend(workers())
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "SIDE_BY_SIDE", 1)
    with pytest.raises(KeyboardInterrupt):
        execute.execute_all(book, book.chapters(), lambda path: book.build / path.name, interrupt)
    assert seen
    assert workers() == []
    assert len(list(book.build.glob("0*.ipynb"))) == 1


def test_a_process_that_is_killed_is_a_clear_error(book, monkeypatch):
    monkeypatch.setattr(execute, "SIDE_BY_SIDE", 1)

    def kill(chapter):
        for one in workers():
            one.kill()

    with pytest.raises(BookError, match="02_two failed: its process ended"):
        execute.execute_all(book, book.chapters(), lambda path: book.build / path.name, kill)


def test_the_slow_checks_cover_three_arithmetics():
    quick, slow = checks.checks(False), checks.checks(True)
    assert list(slow)[: len(quick)] == list(quick)
    assert not any(check.settings for check in quick.values())
    settings = [check.settings for name, check in slow.items() if name.startswith("tests")]
    assert [s.get("DNNL_MAX_CPU_ISA") for s in settings] == [None, "SSE41", "AVX2"]
    names = [path.name for path in (ROOT / "tests").glob("test_*.py")]
    for pattern in checks.NOT_COMPUTING:
        assert fnmatch.filter(names, f"test_{pattern}.py")


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from bnlib.__main__ import parser; parser().format_help(); "
        "print(sorted({'torch', 'numpy', 'papermill', 'pandas', 'nbformat'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("chapter", Book().chapters(), ids=lambda path: path.stem)
def test_every_parameter_of_a_chapter_is_known(chapter):
    """Python's own reading of the cell: names, types and defaults."""
    names: dict = {}
    for cell in notebooks.read(ROOT / chapter).cells:
        if "parameters" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    known = parameters.declared(Book(), chapter)
    assert list(known) == list(names.get("__annotations__", {}))
    for name, parameter in known.items():
        assert eval(parameter["default"]) == names[name]
