"""A figure's second picture, for a phone: its panels one below the other, its letters as large.

Both pictures are drawn when a figure is shown. The wide one is the output; the narrow one stands in
the output's metadata, with the scale of the figure's runs. The site shows the one that fits.
"""

import base64
import io
from typing import Any

import matplotlib as mpl
from IPython import get_ipython
from IPython.core.pylabtools import retina_figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from PIL import Image

WIDTH = 3.9  # inches: on a phone 350 pixels, so that 9 points are 11 pixels
TALLEST = 2.8  # inches, of a panel that stood alone in its row
COLOURS = 128  # of the narrow picture: half of the bytes, and no eye sees it


def use() -> None:
    """Show every figure of this notebook in both widths."""
    if shell := get_ipython():
        import matplotlib_inline.backend_inline  # noqa: F401  sets its own formatter: before ours

        shell.display_formatter.formatters["image/png"].for_type(Figure, both)


def both(figure: Figure) -> tuple[str, dict[str, Any]]:
    """The wide picture, and what belongs into the output's metadata."""
    wide, shown = retina_figure(figure, base64=True)
    if figure.get_label():
        shown["scale"] = figure.get_label()
    drawing = len(figure.axes) == 1 and not figure.axes[0].axison  # its parts have their places
    if figure.get_figwidth() > WIDTH and not drawing:
        narrow(figure)
        shown["narrow"] = _small(retina_figure(figure, base64=False)[0])
        shown["panel"] = _first_panel(figure)
    return wide, shown


def narrow(figure: Figure) -> None:
    """Stack the panels, and make the figure as wide as a phone."""
    panels = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    rows, across = panels[0].get_subplotspec().get_gridspec().get_geometry() if panels else (1, 1)
    height = figure.get_figheight()
    if across > 1:
        heights = [height / rows] * len(panels)
        for ax in panels:
            _named_alone(ax, panels)
        grid = GridSpec(len(panels), 1, figure=figure)
        for place, ax in enumerate(panels):
            ax.set_subplotspec(grid[place])
    else:
        heights = [min(height / rows, TALLEST)] * rows
    figure.set_size_inches(WIDTH, sum(heights))


def _named_alone(ax: Axes, panels: list[Axes]) -> None:
    """What a panel took over from the first of its row: the values and the name of the axis."""
    if not ax.axison:
        return
    row = ax.get_subplotspec().rowspan.start
    first = next(other for other in panels if other.get_subplotspec().rowspan.start == row)
    if ax in first.get_shared_y_axes().get_siblings(first):
        ax.tick_params(labelleft=True)
        ax.set_ylabel(ax.get_ylabel() or first.get_ylabel())


def _first_panel(figure: Figure) -> int:
    """Pixels from the top of the narrow picture to the end of its first panel, labels included."""
    panel = figure.axes[0].get_tightbbox().height / figure.dpi
    return round((panel + 1.2 * mpl.rcParams["savefig.pad_inches"]) * 2 * figure.dpi)


def _small(picture: bytes) -> str:
    """With few colours, as text."""
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    found = io.BytesIO()
    few.save(found, "png", optimize=True)
    return base64.b64encode(found.getvalue()).decode("ascii")
