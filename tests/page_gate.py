"""What a built page must not do in a browser: each function lists what a page does of it."""

import io
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

GRAVE = ("serious", "critical")

OPEN = """() => {  // what is folded is looked at, too
    for (const fold of document.querySelectorAll("details")) fold.open = true;
    for (const fold of document.querySelectorAll(".toggle-hidden, .toggle-shown"))
        fold.classList.remove("toggle-hidden");
}"""

WIDE = """phone => {
    const seen = e => e.getClientRects().length > 0;
    const scrolls = e => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
    const name = e => (e.closest("[id]") || {id: "page"}).id;
    const all = selector => [...document.querySelectorAll(selector)].filter(seen);
    const found = [];
    for (const table of all(".bd-article table")) {
        let box = table;
        while (!scrolls(box) && !box.matches(".bd-article")) box = box.parentElement;
        const need = box === table ? table.scrollWidth : table.offsetWidth;
        if (need <= box.clientWidth + 1) continue;
        const frozen = [...table.rows].every(row => {
            const {position, left} = getComputedStyle(row.cells[0]);
            return position === "sticky" && left === "0px"
                && row.cells[0].offsetWidth <= box.clientWidth / 2;
        });
        if (!(phone && frozen && scrolls(box) && box.tabIndex === 0))
            found.push(`table in ${name(table)}: ${need} px in ${box.clientWidth}`);
    }
    for (const set of all(".bd-article mjx-container")) {
        const need = set.querySelector("mjx-math").getBoundingClientRect();
        const box = (set.getAttribute("display") ? set : set.parentElement.closest(
            "p, li, td, th, dd, dt, figcaption, h1, h2, h3, h4, div")).getBoundingClientRect();
        if (need.width > box.width + 1 || need.right > box.right + 2)
            found.push(`formula in ${name(set)}: ${Math.round(need.width)} px `
                + `in ${Math.round(box.width)}: ${set.textContent.slice(0, 40)}`);
    }
    const page = document.documentElement;
    if (page.scrollWidth > innerWidth) found.push(`the page: ${page.scrollWidth} px`);
    return found;
}"""

BARE = """() => [...document.querySelectorAll(".bd-article figure")]
    .filter(e => e.querySelector("img"))
    .filter(e => !(e.querySelector("figcaption") || {textContent: ""}).textContent.trim()
              || [...e.querySelectorAll("img")].some(img => !img.alt.trim()))
    .map(e => e.id || e.outerHTML.slice(0, 100))"""

AXE = """async rules => (await axe.run({exclude: ["mjx-container"]}, {  // MathJax speaks itself
    preload: false, resultTypes: ["violations"],
    ...(rules.length && {runOnly: rules})})).violations.map(v => [
    v.impact, `${v.id}: ${v.nodes.length} of them, such as ${v.nodes[0].html.slice(0, 120)} `
        + `(${(v.nodes[0].any[0] || v.nodes[0].all[0] || v.nodes[0].none[0]).message})`])"""

FAINT = """() => {  // texts whose colour is hardly that of what they stand on
    const rgb = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = e => {
        for (; e; e = e.parentElement) {
            const [r, g, b, alpha = 1] = rgb(getComputedStyle(e).backgroundColor);
            if (alpha > 0.5) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const words = e => [...e.childNodes]
        .some(n => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    return [...document.querySelectorAll(".bd-article *")]
        .filter(e => e.getClientRects().length && words(e))
        .filter(e => !e.closest("svg, mjx-container, .headerlink"))
        .filter(e => {
            const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 3;
        }).map(e => e.outerHTML.slice(0, 100));
}"""


def wide(page, phone: bool) -> list[str]:
    """Tables and formulas wider than their box, and the page itself. On a phone a table may scroll
    in its own box, by the arrow keys as well, below a first column that stays where it is."""
    page.evaluate(OPEN)
    return page.evaluate(WIDE, phone)


def weight(loaded: set[str]) -> int:
    """Bytes of the files that a page has asked for, itself among them."""
    return sum(Path(unquote(urlsplit(url).path)).stat().st_size for url in loaded)


def bare_figures(page) -> list[str]:
    return page.evaluate(BARE)


def hard_to_use(page, *rules: str) -> list[str]:
    """What axe finds serious or critical, of all its rules or of these."""
    axe = pytest.importorskip("axe_playwright_python").__path__[0]
    page.evaluate(OPEN)
    page.evaluate((Path(axe) / "axe.min.js").read_text(encoding="utf-8"))
    return [said for impact, said in page.evaluate(AXE, rules) if impact in GRAVE]


def faint(page) -> list[str]:
    """Texts that can hardly be read, those included of which axe is not sure."""
    page.evaluate(OPEN)
    return page.evaluate(FAINT)


def slabs(page) -> list[str]:
    """Pictures that stand on the dark page as a light sheet; a photograph may."""
    found = []
    for picture in page.locator(".bd-article img:not(.photograph)").all():
        if not picture.is_visible():
            continue
        image = Image.open(io.BytesIO(picture.screenshot())).convert("L")
        light = sum(image.histogram()[160:]) / (image.width * image.height)
        if light > 0.4:
            found.append(f"{picture.get_attribute('alt')[:60]}: {light:.0%} of it is light")
    return found


def small_ticks(page) -> list[str]:
    """Pictures shown so small that a tick label, 9 points at 200 dots an inch, is below 9 px."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".bd-article img:not(.photograph)")]
            .filter(e => e.getClientRects().length && e.width / e.naturalWidth * 25 < 9)
            .map(e => `${e.alt.slice(0, 60)}: ${e.width} of ${e.naturalWidth} px`)"""
    )
