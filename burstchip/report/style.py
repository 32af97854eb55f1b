"""The common look of all figures, and a finished figure as data."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

#: Dots per inch of the files; a figure of `WIDTH` inches stays sharp on a dense screen.
DPI = 160
WIDTH = 9.0

# The palette of Okabe and Ito, which the common forms of colour blindness keep apart. A colour means one
# thing in all figures.
EVENT = "#4a4a4a"
BURST = "#d55e00"
TRAIN = "#56b4e9"
TEST = "#0072b2"
BEFORE = "#8c8c8c"
AFTER = "#0072b2"
TEACHER = "#faf4e1"
LABEL_UNIT = "#cdeadf"
GUIDE = "#b0b0b0"
POPULATIONS = ("#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")

# Any: the type of the keys differs between releases of matplotlib.
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.0,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "xtick.labelsize": 9.0,
    "ytick.labelsize": 9.0,
    "legend.fontsize": 9.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    # Names are shown as they are, a dollar sign included.
    "text.parse_math": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Picture:
    """A figure of the report: file name without suffix, heading, what it shows, width in inches, the PNG."""

    name: str
    title: str
    caption: str
    width: float
    png: bytes


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


def set_heading(figure: Figure, text: str) -> None:
    """`text` above the whole figure, broken into lines where it is wider than the figure."""
    characters = int(13 * figure.get_figwidth())
    figure.suptitle("\n".join(textwrap.wrap(text, characters)), x=0.01, ha="left", fontsize=10)


def picture(figure: Figure, name: str, title: str, caption: str) -> Picture:
    """`figure` rendered; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return Picture(name, title, caption, figure.get_figwidth(), buffer.getvalue())
