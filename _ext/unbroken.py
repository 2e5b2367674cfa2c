"""Numbers that stay whole: no line ends between a number and its sign, as in 95 %, ± 0.3, n = 5."""

import re

BLANK = re.compile(
    r"(?<=\d) (?=%)|(?<=±) (?=\d)|(?<=\bn) (?=[=≥])|(?<=\bn =) (?=\d)|(?<=\bn ≥) (?=\d)"
)
AS_IT_IS = re.compile(
    r"(<(?:pre|code|script|style|svg)\b.*?</(?:pre|code|script|style|svg)>|<[^>]*>)", re.S
)


def keep_together(text: str) -> str:
    """HTML whose running text has no-break spaces there; code and tags are left alone."""
    parts = AS_IT_IS.split(text)
    parts[::2] = (BLANK.sub("\u00a0", part) for part in parts[::2])
    return "".join(parts)


def bind(app, pagename, templatename, context, doctree) -> None:
    if doctree and "body" in context:
        context["body"] = keep_together(context["body"])


def setup(app) -> dict:
    app.connect("html-page-context", bind, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
