"""Below each notebook's page: the notebook to download, and how to cite the book."""

from sphinx.util.osutil import relative_uri


def foot(app, pagename, templatename, context, doctree) -> None:
    if not doctree or not app.env.doc2path(pagename).endswith(".ipynb"):
        return
    here = app.builder.get_target_uri(pagename)
    notebook = relative_uri(here, f"_sources/{pagename}.ipynb")
    cite = relative_uri(here, f"{app.config.root_doc}.html") + "#cite"
    context["body"] += (
        f'<p class="chapter-foot"><a href="{notebook}" download>Download this notebook</a>'
        f' · <a href="{cite}">How to cite</a></p>'
    )


def setup(app) -> dict:
    app.connect("html-page-context", foot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
