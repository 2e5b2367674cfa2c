"""Pages that ask nothing of the network: drop the scripts of sphinx-thebe, which name a CDN."""


def without_thebe(app, pagename, templatename, context, doctree) -> None:
    files = context.get("script_files", [])
    context["script_files"] = [
        file
        for file in files
        if "thebe" not in str(getattr(file, "filename", file) or "")
        and "thebe" not in str(getattr(file, "attributes", {}).get("body", ""))
    ]


def setup(app) -> dict:
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
