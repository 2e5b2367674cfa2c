"""What every chapter does first: check its parameters, choose a profile, get its runs.

A chapter's cells tagged ``parameters`` and ``recipes`` are plain Python that trains nothing: the
second defines ``experiments(profile)``, which gives lists of recipes by name. So the command line
can list, record and count a chapter's runs without a notebook server.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from bnlib.errors import BookError
from bnlib.paths import RECORDED
from bnlib.records.store import Store
from bnlib.run import Run, Runs
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
NOT_PARAMETERS = {"In", "Out"}  # IPython's own
CHECKED = "_parameters_checked"


class Chapter:
    """The checked parameters of a running chapter."""

    def __init__(self, parameters: dict[str, Any]):
        self.parameters = parameters
        self.profile: str = parameters.get("profile", "auto")
        self.device = pick_device(parameters.get("device", "auto"))

    def __repr__(self) -> str:
        return f"Chapter(profile={self.profile!r}, device={self.device!r})"

    def run(self, study: str, experiments: Callable[[str], Experiments]) -> dict[str, Runs]:
        """The runs of the chapter's experiments, replayed where they are recorded.

        With profile "auto" it is the largest profile whose records are complete.
        """
        if self.profile == "auto":
            self.profile = largest_complete(experiments, Store(RECORDED))
        options = {k: self.parameters[k] for k in ("fresh", "workers") if k in self.parameters}
        made = Study(study, self.profile, self.device, **options)
        self.store = made.store
        return made.run(experiments(self.profile))


def start(names: dict[str, Any]) -> Chapter:
    """Check the parameters among a notebook's ``globals()``; set the look of the figures."""
    declared = dict(names.get("__annotations__", {}))
    given = {
        name: value
        for name, value in names.items()
        if not name.startswith("_") and name not in NOT_PARAMETERS and _scalar(value)
    }
    if CHECKED in names:  # the cell is run again: by now the notebook has other globals too
        given = {name: value for name, value in given.items() if name in declared}
    chapter = Chapter(check(declared, given))
    names[CHECKED] = True
    from bnlib.book import plots

    plots.use_style()
    return chapter


def check(declared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``given`` if each is a declared parameter of the right type and range, else one line."""
    for name, value in given.items():
        if name not in declared:
            raise BookError(f"unknown parameter {name!r}; this chapter takes {', '.join(declared)}")
        try:
            kind = COMMON.get(name, declared[name])
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


def largest_complete(experiments: Callable[[str], Experiments], store: Store) -> str:
    """The largest profile whose every recipe is recorded; "laptop" where none is."""
    for profile in ("paper", "laptop"):
        recipes = [r for some in experiments(profile).values() for r in some]
        if recipes and all(recipe in store for recipe in recipes):
            return profile
    return "laptop"


def experiments_of(path: Path, **given: Any) -> Callable[[str], Experiments]:
    """The ``experiments`` function of a chapter, its parameters set to ``given``."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    for tag in ("parameters", "recipes"):
        for cell in cells:
            if tag in cell["metadata"].get("tags", []):
                exec(compile("".join(cell["source"]), f"{path.name}:{tag}", "exec"), names)
        if tag == "parameters":
            check(names.get("__annotations__", {}), given)
            names.update(given)
    return names.get("experiments", lambda profile: {})


def banner(runs: dict[str, Runs], profile: str, chapter: str) -> str:
    """In Markdown: what is shown, on what and when it was recorded, how to repeat it."""
    each = {run.recipe: run for some in runs.values() for run in some}.values()
    made = [run.provenance for run in each]
    days = sorted({p["made"][:10] for p in made})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    commits = sorted({(p["commit"] or "unknown")[:7] + ("+" if p["dirty"] else "") for p in made})
    words = [
        f"**Profile `{profile}`** · {len(each)} runs, recorded {when} on "
        f"{', '.join(sorted({_device(run) for run in each}))}",
        f"torch {', '.join(sorted({p['versions']['torch'] for p in made}))}",
        f"code {', '.join(f'`{c}`' for c in commits)}",
    ]
    again = (
        f"papermill chapters/{chapter}.ipynb out.ipynb --cwd chapters "
        f"-p profile {profile} -p fresh True"
    )
    note = "\n\n*Smoke runs prove that the code works; their numbers mean nothing.*"
    return " · ".join(words) + f"\n\nTrain it all again: `{again}`" + note * (profile == "smoke")


def _device(run: Run) -> str:
    kind = run.provenance["device_kind"]
    return f"{run.provenance['device']} ({'one thread each' if kind == 'cpu' else kind})"


def _scalar(value: Any) -> bool:
    """Whether a global can only be a parameter: everything else a notebook makes later."""
    return not isinstance(value, ModuleType) and isinstance(
        value, bool | int | float | str | list | dict | type(None)
    )
