"""What every chapter does first: check its parameters, choose the scale, get its runs.

A chapter's cells tagged ``parameters`` and ``recipes`` are plain Python that trains nothing: the
second defines ``experiments(profile)``, which gives lists of recipes by name for the profiles
laptop and paper. So the command line can list, record and count a chapter's runs without a notebook
server.
"""

import ast
import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from bnlib.book import cells
from bnlib.book.banner import banner
from bnlib.book.smoke import Asked, asked_for, thin
from bnlib.errors import BookError
from bnlib.paths import HOUSE, RECORDED
from bnlib.records.store import Store
from bnlib.run import Runs
from bnlib.study import MOST_WORKERS, Experiments, Study
from bnlib.training.devices import known_device, pick_device

PROFILES = ("smoke", "laptop", "paper")
COMMON = {  # parameters that mean the same in every chapter, and what they may be
    "profile": Literal[("auto", *PROFILES)],
    "device": Annotated[str, AfterValidator(known_device)],
    "seeds": Annotated[int, Field(ge=1, le=100)] | None,
    "epochs": Annotated[int, Field(ge=1, le=1000)] | None,
    "fresh": bool,
    "workers": Annotated[int, Field(ge=1, le=MOST_WORKERS)],
}
HOW = ("profile", "device", "fresh", "workers")  # how to run, not what
CHAPTERS = HOUSE / "chapters"
NOT_PARAMETERS = {"In", "Out"}  # IPython's own
CHECKED = "_parameters_checked"
INJECTED = "# Parameters\n"  # how papermill begins the cell that it puts in


class Chapter:
    """The checked parameters of a running chapter."""

    def __init__(self, parameters: dict[str, Any]):
        self.parameters = parameters
        self.profile: str = parameters.get("profile", "auto")
        self.device = pick_device(parameters.get("device", "auto"))

    def __repr__(self) -> str:
        return f"Chapter(profile={self.profile!r}, device={self.device!r})"

    def run(self, name: str, experiments: Callable[[str], Experiments]) -> dict[str, Runs]:
        """The runs of each experiment of the chapter ``name``, replayed where they are recorded.

        With profile "auto" each is shown at the largest scale that is recorded, and nothing is
        trained, unless a parameter asks for runs that are not recorded: then laptop trains them.
        """
        self.name, wanted = name, self.parameters.get("profile", "auto")
        fresh, workers = self.parameters.get("fresh", False), self.parameters.get("workers", 1)
        changed = asked_for(
            {key: value for key, value in self.parameters.items() if key not in HOW},
            cells.defined(CHAPTERS / f"{name}.ipynb", "parameters"),
        )
        at = functools.partial(at_profile, experiments, asked=changed)
        if wanted == "auto":
            store = Store(RECORDED)
            shown = largest_recorded(at, store, train=bool(changed or fresh))
            none_begun(name, {k: some for k, some in at("laptop").items() if not shown[k]}, store)
        else:
            shown = dict.fromkeys(at(wanted), wanted)
        recipes = {profile: at(profile) for profile in PROFILES if profile in shown.values()}
        study = Study(name.split("_", 1)[1], wanted, self.device, fresh=fresh, workers=workers)
        self.store = study.store
        self.profile = next(iter(recipes), wanted)  # the smallest that the page shows
        found = study.run({key: recipes[p][key] if p else [] for key, p in shown.items()})
        return {key: Runs(runs, shown[key]) for key, runs in found.items()}

    def banner(self, runs: dict[str, Runs]) -> str:
        """In Markdown: the scale of each experiment, where the runs were made, how to repeat it."""
        return banner(runs, self.name, self.parameters.get("profile", "auto"))


def start(names: dict[str, Any]) -> Chapter:
    """Check the parameters among a notebook's ``globals()``; set the look of the figures."""
    declared = names.get("__annotations__", {})
    known = declared if isinstance(declared, dict) else {}  # -p __annotations__ …
    for name in _injected():
        _known(name, known)
    given = {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and name not in NOT_PARAMETERS and _scalar(value)
    }
    if isinstance(names.get(CHECKED), Chapter):  # the cell is run again: by now there is more
        given = {name: value for name, value in given.items() if name in known}
    chapter = Chapter(check(known, given))
    names[CHECKED] = chapter
    from bnlib.book import plots

    plots.use_style()
    return chapter


def check(declared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``given`` if each is a declared parameter of the right type and range, else one line."""
    for name, value in given.items():
        _known(name, declared)
        try:
            for kind in (COMMON.get(name, Any), declared[name]):
                TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as wrong:
            first = wrong.errors()[0]["msg"]
            hint = (
                f" (papermill: -y '{{{name}: [0.1, 0.9]}}')" if first.endswith("valid list") else ""
            )
            raise BookError(
                f"parameter {name}={value!r}: {first[0].lower()}{first[1:]}{hint}"
            ) from None
    return given


def _known(name: str, declared: dict[str, Any]) -> None:
    if name not in declared:
        takes = f"; this chapter takes {', '.join(declared)}" * bool(declared)
        raise BookError(f"unknown parameter {name!r}{takes}")


def _injected() -> list[str]:
    """The names that papermill's -p sets, whatever they are called: read from the cell that it put
    in, since a global can be one that the kernel or an import uses."""
    found = []
    for source in _executed():
        if source.startswith(INJECTED):
            lines = ast.parse(source).body
            found += [ast.unparse(t) for x in lines if isinstance(x, ast.Assign) for t in x.targets]
    return found


def _executed() -> list[str]:
    """The cells that this notebook has executed until now."""
    from IPython import get_ipython

    shell = get_ipython()
    return list(shell.history_manager.input_hist_raw) if shell else []


def at_profile(
    experiments: Callable[[str], Experiments], profile: str, asked: Asked | None = None
) -> Experiments:
    """A chapter's experiments in any profile: smoke is derived from laptop."""
    return thin(experiments("laptop"), asked) if profile == "smoke" else experiments(profile)


def largest_recorded(
    experiments: Callable[[str], Experiments], store: Store, train: bool = False
) -> dict[str, str | None]:
    """For each experiment the largest profile whose every run is recorded; where there is none,
    laptop if it may ``train``, else None."""
    found: dict[str, str | None] = {}
    for profile in ("laptop", "paper"):
        for name, recipes in experiments(profile).items():
            found.setdefault(name, "laptop" if train else None)
            if recipes and all(recipe in store for recipe in recipes):
                found[name] = profile
    return found


def none_begun(chapter: str, experiments: Experiments, store: Store) -> None:
    """A page can do without an experiment, but not with a part of one: say how to record the
    rest."""
    for name, recipes in experiments.items():
        there = sum(recipe in store for recipe in recipes)
        if there:
            raise BookError(
                f"of experiment {name!r} {there} of {len(recipes)} runs are recorded; the rest: "
                f"python -m bnlib record --profile laptop --chapters {chapter}"
            )


def experiments_of(path: Path, **given: Any) -> Callable[[str], Experiments]:
    """A chapter's experiments in any profile, its parameters set to ``given``."""
    defaults = cells.defined(path, "parameters")
    check(defaults.get("__annotations__", {}), given)
    defines = cells.defined(path, "recipes", defaults | given)
    experiments = defines.get("experiments", lambda profile: {})
    return functools.partial(at_profile, experiments, asked=asked_for(given, defaults))


def sources(name: str, *tags: str) -> list[str]:
    """The cells of the chapter ``name`` that carry one of the tags, as they stand in its file."""
    return cells.sources(CHAPTERS / f"{name}.ipynb", *tags)


def _scalar(value: Any) -> bool:
    """Whether a global can only be a parameter: everything else a notebook makes later."""
    return not isinstance(value, ModuleType) and isinstance(
        value, bool | int | float | str | list | dict | type(None)
    )
