"""The site of the committed chapters, in a real browser, from file:// with the network off."""

import re
import shutil

import page_gate
import pytest
from conftest import PATIENCE

from bnlib.book.layout import Book
from bnlib.book.site import BESIDE, State, render, stage

PAGES = [str(file.with_suffix(".html")) for file in Book().files()]
EXTRA = ["search.html", "genindex.html"]
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
OPERATED = "button, a[href], input, select, textarea, summary"
NAMELESS = """operated => [...document.querySelectorAll(operated)]
    .filter(e => e.offsetParent !== null && !e.textContent.trim())
    .filter(e => !["aria-label", "aria-labelledby", "title"].some(a => e.getAttribute(a)))
    .filter(e => !(e.labels && e.labels.length) && !e.querySelector("img[alt]"))
    .map(e => e.outerHTML.slice(0, 120))"""

SPOKEN_ICONS = ".theme-switch-button svg:not([aria-hidden=true])"  # the button has the name


# No colour is looked at half-way: what is unfolded fades in, and themes change smoothly
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The site, built from the notebooks as they are committed; warnings are errors."""
    here, copy = Book(), Book(tmp_path_factory.mktemp("site"))
    for name in BESIDE:
        source = here.root / name
        if source.is_dir():
            shutil.copytree(source, copy.root / name)
        else:
            shutil.copy(source, copy.root / name)
    for file in here.files():
        for target in (copy.root / file, copy.staged / file):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(here.root / file, target)
    stage(copy)
    render(copy, State(copy.build / "state.json"))
    return copy.html


@pytest.fixture
def visit(browser, html):
    """Open a page; the second value lists what went wrong or asked for the network."""
    contexts = []

    def open_page(name, viewport=DESK, scheme="light", loaded=None):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
        contexts.append(context)
        page, said = context.new_page(), []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if loaded is not None:
            page.on("requestfinished", lambda r: loaded.add(r.url))
        page.on("requestfailed", lambda request: said.append(f"not loaded: {request.url}"))
        page.on(
            "request",
            lambda r: (
                None
                if r.url.startswith(("file:", "data:", "blob:"))
                else said.append(f"asks the network: {r.url}")
            ),
        )
        path, _, query = name.partition("?")
        page.goto((html / path).as_uri() + (f"?{query}" if query else ""), wait_until="load")
        page.add_style_tag(content=STILL)
        page.wait_for_timeout(300)
        return page, said

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.slow
def test_the_committed_chapters_build_without_warnings(html):
    assert (html / "index.html").is_file()
    assert [page for page in PAGES if not (html / page).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", Book().chapters(), ids=lambda path: path.stem)
def test_a_chapter_and_what_is_in_it_have_the_number_of_its_file(html, path):
    page = (html / path.with_suffix(".html")).read_text(encoding="utf-8")
    chapter = int(path.stem[:2])
    headings = re.findall(r'<h\d><span class="section-number">([^<]*)', page)
    assert headings == [f"{chapter}. "]
    counted = re.findall(r'caption-number">(Fig\.|Table) ([\d.]+) ', page)
    for kind in {kind for kind, _ in counted}:
        numbers = [number for other, number in counted if other == kind]
        wanted = {f"{chapter}.{place}" for place in range(1, len(numbers) + 1)}
        assert set(numbers) == wanted
    equations = re.findall(r'class="eqno">\(([\d.]+)\)', page)
    assert equations == [f"{chapter}.{place}" for place in range(1, len(equations) + 1)]


@pytest.mark.slow
def test_references_to_another_chapters_figure_have_its_number(html):
    pages = [(html / path.with_suffix(".html")).read_text() for path in Book().chapters()]
    links = re.findall(
        r'href="(?:0(\d)_\w+\.html)?#fig-[\w-]+"><span[^>]*>Fig\. (\d)', "".join(pages)
    )
    assert links
    assert all(file in ("", number) for file, number in links)


@pytest.mark.slow
def test_pictures_have_a_narrow_one_and_their_scale(html):
    page = (html / "chapters" / "03_lenet.html").read_text(encoding="utf-8")
    narrow = re.findall(r'<source media="screen and [^"]*" srcset="\.\./([^"]+)"><img', page)
    assert len(narrow) > 5
    assert all((html / name).is_file() for name in narrow)
    assert page.count('<p class="scale">') == len(narrow)


@pytest.mark.slow
def test_the_front_page_has_a_picture_of_every_chapter_and_the_list_its_labels(html):
    front = (html / "intro.html").read_text(encoding="utf-8")
    for path in Book().chapters():
        name = f"_images/thumbnail-{path.stem}.png"
        assert f'src="{name}"' in front
        assert (html / name).is_file()
        page = (html / path.with_suffix(".html")).read_text(encoding="utf-8")
        assert f'href="../_sources/{path}" download' in page
    assert 'id="cite"' in front
    references = (html / "references.html").read_text(encoding="utf-8")
    assert "Ioffe and Szegedy, 2015" in references


@pytest.mark.browser
@pytest.mark.parametrize("name", EXTRA)
def test_page_opens_offline(visit, name):
    opens(*visit(name))


def opens(page, said):
    """Without an error or a question to the network, its mathematics set and what is operated
    named."""
    assert page.title()
    assert page.evaluate(NAMELESS, OPERATED) == []
    assert page.locator(SPOKEN_ICONS).count() == 0
    assert page.locator("html[lang]").count() == 1
    mathematics(page)
    assert said == []


def typeset(page) -> int:
    """Wait until the formulas are set; how many there are."""
    formulas = page.locator("span.math, div.math").count()
    if formulas:
        page.wait_for_function("() => window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.evaluate("async () => { await MathJax.startup.promise; }")
        page.wait_for_timeout(300)  # what is too wide is fitted afterwards
    return formulas


def mathematics(page):
    """Every formula is set, none with an error, and none is left as its source."""
    formulas = typeset(page)
    assert page.locator("span.math mjx-container, div.math mjx-container").count() >= formulas
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    prose = page.evaluate(
        """() => [...document.querySelectorAll(".bd-article p, .bd-article li, .bd-article td")]
            .filter(e => !e.querySelector("code")).map(e => e.textContent).join("\\n")"""
    )
    assert "\\(" not in prose
    assert "$" not in prose


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_page_opens_offline_and_passes_the_gate_on_a_desk(visit, name):
    loaded = set()
    page, said = visit(name, loaded=loaded)
    opens(page, said)
    assert page_gate.wide(page, phone=False) == []
    assert page_gate.bare_figures(page) == []
    assert page_gate.faint(page) == []
    assert page_gate.hard_to_use(page) == []
    files = {url for url in loaded if url.startswith("file:")}
    assert 10**6 < page_gate.weight(files) < 3 * 10**6  # with scripts, fonts and pictures


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_page_passes_the_gate_in_the_dark(visit, name):
    page, _ = visit(name, scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page_gate.slabs(page) == []
    assert page_gate.faint(page) == []
    assert page_gate.hard_to_use(page, "color-contrast") == []  # the rest is as by day


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_page_passes_the_gate_on_a_phone(visit, name):
    page, _ = visit(name, PHONE)
    typeset(page)
    assert page_gate.wide(page, phone=True) == []
    assert page_gate.small_ticks(page) == []


BREAKS = {  # what is put on a page, and which finding it must give
    "a wide table": (
        "<table><tr><td>a</td><td style='min-width: 2000px'>b</td></tr></table>",
        lambda page: page_gate.wide(page, phone=False),
        "table in",
    ),
    "a table that only scrolls": (
        "<div tabindex=0 style='overflow-x: auto'><table style='display: table; max-width: none'>"
        "<tr><td style='position: static'>a</td><td style='min-width: 2000px'>b</td></tr></table>",
        lambda page: page_gate.wide(page, phone=True),
        "table in",
    ),
    "a wide formula": (
        "<p style='overflow: hidden'><mjx-container>"
        "<mjx-math style='display: inline-block; width: 2000px'>x</mjx-math>",
        lambda page: page_gate.wide(page, phone=True),
        "formula in",
    ),
    "a wide page": (
        "<div style='width: 3000px; height: 9px'>",
        lambda p: page_gate.wide(p, False),
        "the page",
    ),
    "a bare figure": (
        "<figure id='bare'><img alt='a dot' src='x'><figcaption> </figcaption></figure>",
        page_gate.bare_figures,
        "bare",
    ),
    "a figure without alt text": (
        "<figure id='bare'><img alt='' src='x'><figcaption>A dot.</figcaption></figure>",
        page_gate.bare_figures,
        "bare",
    ),
    "a faint text": (
        "<p style='color: #777; background: #666'>hello</p>",
        page_gate.faint,
        "hello",
    ),
    "a nameless button": ("<button></button>", page_gate.hard_to_use, "button-name"),
    "a text in the colour of its ground": (
        "<p style='color: #999; background: #888'>hello</p>",
        lambda page: page_gate.hard_to_use(page, "color-contrast"),
        "color-contrast",
    ),
}


@pytest.mark.browser
@pytest.mark.parametrize("what", BREAKS)
def test_what_breaks_the_gate_is_found(visit, what):
    page, _ = visit("references.html", PHONE if "scrolls" in what else DESK)
    shown, look, said = BREAKS[what]
    assert look(page) == []
    page.evaluate("html => document.querySelector('.bd-article').innerHTML += html", shown)
    (finding,) = look(page)
    assert said in finding


@pytest.mark.browser
def test_an_error_on_the_console_is_heard(visit):
    page, said = visit("references.html")
    assert said == []
    page.evaluate("setTimeout(() => { console.error('alas'); throw new Error('woe'); })")
    page.wait_for_timeout(200)
    assert said == ["alas", "woe"]


@pytest.mark.browser
def test_search_works_from_a_file(visit):
    page, said = visit("search.html?q=verdict")
    page.wait_for_selector("#search-results li")
    assert "intro.html" in page.inner_html("#search-results")
    assert said == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "moved"),
    {"intro": "rate", "chapters/03_lenet": "rate", "chapters/02_batchnorm": "gamma"}.items(),
)
def test_a_figure_to_touch_answers_the_keyboard(visit, name, moved):
    page, said = visit(f"{name}.html", PHONE)
    drawing = page.locator(".touch-drawing")
    before = drawing.get_attribute("aria-label")
    page.locator(f".touch input[name={moved}]").focus()
    page.keyboard.press("End")
    assert drawing.get_attribute("aria-label") != before
    assert said == []
