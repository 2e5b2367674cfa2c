"""Tables of sentences that a phone shows row by row: each cell of a table with the class ``prose``
gets its column's name, which the style sheet then prints."""

import re
from html import escape, unescape

TABLE = re.compile(r'<table class="(?=[^"]*\bprose\b).*?</table>', re.DOTALL)
HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)


def label(page: str) -> str:
    """HTML whose cells of such tables say under which head they stand."""
    return TABLE.sub(lambda table: _labelled(table[0]), page)


def _labelled(table: str) -> str:
    heads = [unescape(re.sub(r"<[^>]*>", "", head)).strip() for head in HEAD.findall(table)]

    def row(found: re.Match) -> str:
        names = iter(heads)
        return re.sub(r"<td\b", lambda td: f'{td[0]} data-label="{escape(next(names))}"', found[0])

    return ROW.sub(row, table)


def put_in(app, pagename, templatename, context, doctree) -> None:
    if doctree and "body" in context:
        context["body"] = label(context["body"])


def setup(app) -> dict:
    app.connect("html-page-context", put_in, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
