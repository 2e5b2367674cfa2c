"""Chapters have the numbers of their files, 7 for chapters/07_…, and so have their figures, tables
and equations; Sphinx would count them in their order."""

import re

from docutils import nodes

NUMBERED = re.compile(r"chapters/0*(\d+)_")


def renumber(app, env) -> list[str]:
    """After Sphinx has counted: each chapter's own number in the place of its rank. Sections are
    counted only because Sphinx looks there for the number of a figure's chapter: they show none."""
    for page in env.found_docs:
        if not (found := NUMBERED.match(page)):
            continue
        chapter = int(found.group(1))
        for title in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
            if number := title.get("secnumber"):
                title["secnumber"] = (chapter,) if len(number) == 1 else None
        for name, number in env.toc_secnumbers.get(page, {}).items():
            env.toc_secnumbers[page][name] = (chapter,) if len(number) == 1 else ()
        for counted in env.toc_fignumbers.get(page, {}).values():
            for name, number in counted.items():
                counted[name] = (chapter, *number[1:])
    return []


def setup(app) -> dict:
    app.connect("env-get-updated", renumber, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
