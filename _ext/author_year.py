"""The reference list by authors and year, as the texts cite: [Ioffe and Szegedy, 2015]."""

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style
from pybtex.style.labels import BaseLabelStyle

MANY = 2  # authors that are named


class AuthorYearLabels(BaseLabelStyle):
    def format_labels(self, entries):
        entries = list(entries)
        labels = [f"{names(entry)}, {entry.fields.get('year', 'n.d.')}" for entry in entries]
        for place, label in enumerate(labels):
            many = labels.count(label) > 1
            yield label + chr(ord("a") + labels[:place].count(label)) * many


def names(entry) -> str:
    last = [" ".join((*person.prelast_names, *person.last_names)) for person in authors(entry)]
    last = [name.replace("{", "").replace("}", "") for name in last]
    return f"{last[0]} et al." if len(last) > MANY else " and ".join(last)


def authors(entry):
    return entry.persons.get("author") or entry.persons["editor"]


class AuthorYearStyle(Style):
    default_label_style = AuthorYearLabels


def setup(app) -> dict:
    register_plugin("pybtex.style.formatting", "author_year_list", AuthorYearStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
