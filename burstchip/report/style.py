"""The common look of all figures on light and on dark ground, and a finished figure as data."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

#: Inches; a page shows a figure at this width on a phone and in half of its width on a desk.
WIDTH = 5.8

#: Dots per inch of those parts of a figure that are too many to be drawn one by one.
DPI = 240

# The palette of Okabe and Ito, which the common forms of colour blindness keep apart. A colour means one
# thing in all figures. Events and bursts may be pixels, which have one colour on both grounds.
INK = "#1d2530"
SOFT = "#5b6673"
AXIS = "#555f6a"
GRID = "#e4e7eb"
EVENT = "#757c86"
BURST = "#d55e00"
TRAIN = "#56b4e9"
TEST = "#0072b2"
BEFORE = "#8c8c8c"
AFTER = "#0072b2"
TEACHER = "#faf4e1"
LABEL_UNIT = "#cdeadf"
GUIDE = "#b0b4ba"
RIGHT = "#e3ebf3"
POPULATIONS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#343d47")

#: What takes the place of a colour on dark ground; the others are the same on both.
ON_DARK = {
    INK: "#e3e8ee",
    SOFT: "#a7b1bd",
    AXIS: "#8d97a3",
    GRID: "#2d343d",
    TRAIN: "#3f86b3",
    TEST: "#7cc8f5",
    TEACHER: "#37311f",
    LABEL_UNIT: "#1d4b3b",
    GUIDE: "#5a636e",
    RIGHT: "#233344",
    POPULATIONS[0]: "#2cc197",
    POPULATIONS[4]: "#d5dbe2",
}

# Any: the type of the keys differs between releases of matplotlib.
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": AXIS,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.color": AXIS,
    "ytick.color": AXIS,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    # Names are shown as they are, a dollar sign included.
    "text.parse_math": False,
    # The page's own ground, light or dark, is behind a figure.
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    # Outlines look the same whichever fonts there are.
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Picture:
    """A figure of the report: file name without suffix, heading, what it is, what is seen in it, the SVG.

    `width` is the greatest on the page, in its pixels.
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes
    width: int = 640


@contextmanager
def figure_style() -> Iterator[None]:
    """The settings for making and rendering figures, independent of the user's matplotlib settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches that belongs to no window."""
    return Figure(figsize=(width, height), layout="constrained")


def picture(figure: Figure, name: str, title: str, caption: str, alt: str) -> Picture:
    """`figure` rendered for light and dark ground; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", dpi=DPI, metadata={**nothing, "Title": title})
    svg = _numbered(buffer.getvalue()).replace(b"</svg>", _dark() + b"</svg>")
    return Picture(name, title, caption, alt, svg)


def png(figure: Figure) -> bytes:
    """`figure` as pixels on white ground."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI / 2, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def _numbered(svg: bytes) -> bytes:
    """Names of elements by their order: matplotlib's depend on where in memory things are."""
    numbers: dict[bytes, int] = {}

    def number(match: re.Match[bytes]) -> bytes:
        return match[1] + b"e%d" % numbers.setdefault(match[2], len(numbers))

    return re.sub(rb'(\bid="|url\(#|href="#)([^")]+)', number, svg)


def _dark() -> bytes:
    """A style sheet that replaces colours on dark ground, wherever a style names them."""
    rules = [
        f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}'
        for light, dark in ON_DARK.items()
        for kind in ("fill", "stroke")
    ]
    return f"<style>@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>".encode()
