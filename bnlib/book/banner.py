"""The end of a page: at which scale each experiment is shown, where it was made, how to repeat it.

What comes from a record (processor, versions, commit) is shown as text whatever it holds.
"""

import html
import re
import string

from bnlib.run import Runs

SMOKE = "*Smoke runs prove that the code works; their numbers mean nothing.*"
HARMLESS = ".,;()/-+="  # within a line


def text(value: str) -> str:
    """``value`` in Markdown so that it reads as it is: no markup, no HTML, one line."""
    marks = "".join(set(string.punctuation) - set(HARMLESS) - set("&<>"))
    line = re.sub(f"([{re.escape(marks)}])", r"\\\1", " ".join(value.split()))
    return html.escape(line, quote=False)


def banner(runs: dict[str, Runs], chapter: str, profile: str) -> str:
    """In Markdown. ``profile`` is the parameter that the page was executed with."""
    by_scale: dict[str, list[str]] = {}
    for name, some in runs.items():
        by_scale.setdefault(str(some.scale), []).append(f"`{name}`")
    items = [f"- {', '.join(names)}: {text(scale)}" for scale, names in by_scale.items()]
    parts = ["\n".join(items)]
    if any(map(len, runs.values())):
        parts.append(_made(runs))
    chosen = "" if profile == "auto" else f"-p profile {profile} "
    again = f"papermill chapters/{chapter}.ipynb out.ipynb --cwd chapters {chosen}-p fresh True"
    parts.append(f"Train it all again: `{again}`")
    return "\n\n".join(parts + [SMOKE] * (profile == "smoke"))


def _made(runs: dict[str, Runs]) -> str:
    """When, on what and with which code the runs were made."""
    each = {run.recipe: run.provenance for some in runs.values() for run in some}.values()
    days = sorted({made["made"][:10] for made in each})
    devices = {f"{made['device']} ({_how(made['device_kind'])})" for made in each}
    torches = {made["versions"]["torch"] for made in each}
    commits = {(made["commit"] or "unknown")[:7] + "+" * bool(made["dirty"]) for made in each}
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    return " · ".join(
        (
            f"{len(each)} runs, recorded {text(when)} on {_list(devices)}",
            f"torch {_list(torches)}",
            f"code {_list(commits)}",
        )
    )


def _how(kind: str) -> str:
    return "one thread each" if kind == "cpu" else kind


def _list(values: set[str]) -> str:
    return ", ".join(text(value) for value in sorted(values))
