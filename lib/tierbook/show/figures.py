"""Figures as inline SVG: one style, one font that speaks Chinese, one sentence that says what is to be seen."""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tierbook.show.words import Words

LATIN_FONT = "DejaVu Sans"
CHINESE_FONT = "Noto Sans CJK SC"

# Okabe and Ito's colours, which stay apart for colour-blind eyes: blue above, orange below, greys between and outside.
TIER_COLOURS = {
    "high": "#0072B2",
    "potential": "#56B4E9",
    "middle": "#56B4E9",
    "ordinary": "#8C8C8C",
    "low": "#E69F00",
    "outside": "#D0D0D0",
}
FURTHER_COLOURS = ("#009E73", "#CC79A7", "#D55E00", "#B8A800", "#000000")
RISK_COLOUR = "#D55E00"

_STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": "#5a6675",
    "axes.labelcolor": "#1c2430",
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "font.size": 10.5,
    "grid.color": "#e3e7ec",
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "tierbook",
    # a product called "A $5 $x" is a name, not a formula
    "text.parse_math": False,
}


def tier_colours(codes: Iterable[str]) -> dict[str, str]:
    """One colour for each tier, cluster or segment code, best first; the same code has the same colour everywhere."""
    unnamed = [code for code in codes if code not in TIER_COLOURS]
    further = {code: FURTHER_COLOURS[place % len(FURTHER_COLOURS)] for place, code in enumerate(unnamed)}
    return {code: TIER_COLOURS.get(code) or further[code] for code in codes}


@cache
def setup() -> None:
    """Set seaborn's theme, then fonts with Chinese glyphs; done once per process."""
    import matplotlib
    import seaborn
    from matplotlib import font_manager

    font_manager.fontManager.addfont(chinese_font())
    seaborn.set_theme(style="whitegrid", palette=[*dict.fromkeys(TIER_COLOURS.values()), *FURTHER_COLOURS])
    # fonts after the theme, which would overwrite them
    matplotlib.rcParams.update({**_STYLE, "font.family": [LATIN_FONT, CHINESE_FONT]})


def chinese_font() -> Path:
    """The Noto Sans CJK SC file in the ``mplfonts`` package, found without importing that package.

    Raises
    ------
    FileNotFoundError
        When the package is absent or no longer carries the font.
    """
    package = find_spec("mplfonts")
    files = Path(package.origin).parent.rglob("NotoSansCJKsc-Regular.otf") if package and package.origin else iter(())
    found = next(files, None)
    if found is None:
        raise FileNotFoundError("NotoSansCJKsc-Regular.otf not found in package mplfonts: reinstall the requirements")
    return found


def label(text: Any, length: int = 24) -> str:
    """Text from data, fit to stand in a figure: cut to `length`, signs that no font can draw as ``?``."""
    drawn = "".join(sign if ord(sign) in _glyphs() else "?" for sign in " ".join(str(text).split()))
    return drawn if len(drawn) <= length else f"{drawn[: length - 1]}…"


def count_in_words(axis: Any, words: Words, spec: str = "number") -> None:
    """Write an axis's ticks (``ax.xaxis``) as the reader writes numbers: a format of ``Words.format``."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda x, _: words.format(x, spec)))


def render(
    draw: Callable[..., str],
    words: Words,
    *args: Any,
    size: tuple[float, float] = (8.0, 4.2),
    panels: tuple[int, int] = (1, 1),
    **options: Any,
) -> str:
    """Draw one figure and give it as HTML.

    Parameters
    ----------
    draw : callable
        ``draw(ax, words, *args, **options)`` draws on the axes and returns the alternative text: one sentence with a
        computed value. With more than one panel it receives the array of axes.
    size : (float, float)
        Width and height in inches at 72 to the inch; the page scales the figure down, never its proportions.
    panels : (int, int)
        Rows and columns of axes.

    Raises
    ------
    UserWarning
        When a sign has no glyph in either font: an empty box on the page is an error here.
    ValueError
        When `draw` returns no sentence.
    """
    setup()
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    alt = draw(figure.subplots(*panels), words, *args, **options)
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"{draw.__name__} must return the figure's alternative text, one sentence with a value")
    return (
        f'<figure class="fig" role="img" aria-label="{escape(alt)}" '
        f'style="max-width:{size[0] * 90:.0f}px">{_svg(figure)}</figure>'
    )


def _svg(figure: Any) -> str:
    drawn = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"Glyph .* missing")
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 aria-hidden="true"', svg, count=1)
    return _with_own_ids(re.sub(r"\n\s*", "\n", _rounded(svg)))


def _rounded(svg: str) -> str:
    # a hundredth of a point is finer than any screen; matplotlib writes six decimals
    def shorten(attribute: re.Match) -> str:
        return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", attribute[0])

    return re.sub(r'\b(?:d|points|x|y|x1|x2|y1|y2)="[^"]*"|translate\([^)]*\)', shorten, svg)


def _with_own_ids(svg: str) -> str:
    # ids count within the whole page, and a reference into a hidden figure draws nothing
    own = f"f{hashlib.sha256(svg.encode()).hexdigest()[:8]}-"
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{own}", svg)


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    latin = font_manager.findfont(LATIN_FONT)
    return frozenset(FT2Font(latin).get_charmap()) | frozenset(FT2Font(str(chinese_font())).get_charmap())
