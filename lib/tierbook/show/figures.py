"""Figures as inline SVG: one style, one font that speaks Chinese, one sentence that says what is to be seen."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tierbook.show import svg
from tierbook.show.words import Words, on_page

LATIN_FONT = "DejaVu Sans"
CHINESE_FONT = "Noto Sans CJK SC"

# What is not data follows the page, dark or light: these colours become its variables, in JupyterLab Lab's own.
INK, SOFT, GRID, PAPER, WARNING = "#1c2430", "#56616f", "#e1e6eb", "#ffffff", "#b03f29"
_PAGE = {
    INK: ("ink", "var(--ink,var(--jp-content-font-color1,#1c2430))"),
    SOFT: ("soft", "var(--soft,var(--jp-content-font-color2,#56616f))"),
    GRID: ("line", "var(--line,var(--jp-border-color2,#e1e6eb))"),
    PAPER: ("paper", "var(--paper,var(--jp-layout-color0,#fff))"),
    WARNING: ("bad", "var(--bad,#b03f29)"),
}
# on a full colour the ink stays what it is, a shade off, or it would turn with the page
ON_COLOUR, DARK_ON_COLOUR = "#fefefe", "#10161d"

# Blues above, greys between and outside, orange below: every pair at least 15 apart in CIELAB, also for colour-blind
# eyes, and every colour at least 3:1 against white and against the dark page.
TIER_COLOURS = {
    "high": "#0067AC",
    "potential": "#2196EE",
    "ordinary": "#6A6A6A",
    "low": "#D97706",
    "outside": "#949494",
}
TIER_COLOURS |= {
    "vip": TIER_COLOURS["high"],
    "middle": TIER_COLOURS["potential"],
    "prospect": TIER_COLOURS["potential"],
    "standard": TIER_COLOURS["ordinary"],
    "lost": TIER_COLOURS["low"],
    "no_order": TIER_COLOURS["outside"],
    "unscored": TIER_COLOURS["outside"],
}
FURTHER_COLOURS = ("#009E73", "#C0659A", "#8C6BB1", "#A0692B", "#D55E00")
RISK_COLOUR = "#D55E00"
_READ = 500  # characters of a name that are looked at
NEUTRAL = "#848F9B"
"""Of bars that only stand beside the one that matters."""
STRONGEST = 0.68
"""How far a cell's colour covers the paper at most: ink on it stays readable on light paper and on dark."""
LEAST_SCALE = 0.7
"""How far a narrow screen shrinks a figure before it scrolls: letters of nine pixels."""

# seaborn's "whitegrid" in figures, less its import: 2 s of every kernel went into SciPy's statistics and pyplot
_WHITEGRID = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 12.0,
    "axes.linewidth": 1.25,
    "grid.linewidth": 1.0,
    "legend.fontsize": 11.0,
    "legend.title_fontsize": 12.0,
    "lines.solid_capstyle": "round",
    "patch.force_edgecolor": True,
    "xtick.bottom": False,
    "ytick.left": False,
    **{f"{side}tick.labelsize": 11.0 for side in "xy"},
    # no tick is drawn, but a label stands as far off as one is long
    **{f"{side}tick.{rank}.size": size for side in "xy" for rank, size in (("major", 6.0), ("minor", 4.0))},
    **{f"{side}tick.{rank}.width": width for side in "xy" for rank, width in (("major", 1.25), ("minor", 1.0))},
}
_STYLE = _WHITEGRID | {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "font.size": 10.5,
    "grid.color": GRID,
    "legend.frameon": False,
    "patch.edgecolor": PAPER,
    "svg.fonttype": "path",
    "svg.hashsalt": "tierbook",
    "text.color": INK,
    # a product called "A $5 $x" is a name, not a formula
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}


def tier_colours(codes: Iterable[str], words: Words | None = None) -> dict[str, str]:
    """One colour for each tier, cluster or segment code; the same code has the same colour in every figure.

    A code of the user's own scheme has the colour of its place among the scheme's names, which ``words`` carries;
    without `words` of its place among `codes`.
    """
    codes = list(codes)
    named = [*(words.terms.get("tier", ()) if words else ()), *codes]
    own = [code for code in dict.fromkeys(named) if code not in TIER_COLOURS]
    further = {code: FURTHER_COLOURS[place % len(FURTHER_COLOURS)] for place, code in enumerate(own)}
    return {code: TIER_COLOURS.get(code) or further[code] for code in codes}


@cache
def setup() -> None:
    """Set the style, the tiers' colours, and fonts with Chinese glyphs; done once per process."""
    import matplotlib
    from matplotlib import font_manager

    font_manager.fontManager.addfont(chinese_font())
    colours = matplotlib.cycler("color", [*dict.fromkeys(TIER_COLOURS.values()), *FURTHER_COLOURS])
    fonts = {"font.family": [LATIN_FONT, CHINESE_FONT]}
    matplotlib.rcParams.update({**_STYLE, "axes.prop_cycle": colours, **fonts})


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
    """Text from data, fit to stand in a figure: cut to `length`, signs that no font can draw as ``?``.

    Signs that are not seen, such as joiners and direction marks, are left out.
    """
    seen = (sign for sign in " ".join(str(text)[:_READ].split()) if unicodedata.category(sign) != "Cf")
    # control characters stand in a font's list, and are drawn by none
    drawn = "".join(sign if ord(sign) in _glyphs() and sign.isprintable() else "?" for sign in seen)
    return drawn if len(drawn) <= length else f"{drawn[: length - 1]}…"


def count_in_words(axis: Any, words: Words, spec: str = "number") -> None:
    """Write an axis's ticks (``ax.xaxis``) as the reader writes numbers, a format of ``Words.format``; no tick has
    decimals when all of them are whole."""
    from matplotlib.ticker import FuncFormatter

    @cache
    def all_whole(shown: tuple[float, ...]) -> bool:
        return all(_is_whole(words.format(tick, spec)) for tick in shown)

    def written(x: float, _: int | None) -> str:
        low, high = sorted(axis.get_view_interval())
        said = words.format(x, spec)
        if not _DECIMALS.search(said):
            return said
        shown = tuple(tick for tick in axis.get_majorticklocs() if low <= tick <= high)
        return _DECIMALS.sub("", said) if all_whole(shown) else said

    axis.set_major_formatter(FuncFormatter(written))


_DECIMALS = re.compile(r"(?<=\d)\.\d+")


def _is_whole(said: str) -> bool:
    return all(set(decimals) <= set(".0") for decimals in _DECIMALS.findall(said))


def shade(ax: Any, strength: Any, above: str = TIER_COLOURS["high"], below: str = TIER_COLOURS["low"]) -> None:
    """Cells of a table as colour on the page's own paper: cell (row, column) spans (column, row) to one further.

    ``strength``: rows × columns of −1 (full `below`) to 1 (full `above`); 0 and null leave the paper.
    """
    import numpy as np
    from matplotlib.colors import to_rgb

    strength = np.nan_to_num(np.asarray(strength, dtype=float)).clip(-1, 1)
    rows, columns = (max(size, 1) for size in strength.shape)
    cells = np.zeros((*strength.shape, 4))
    cells[..., :3] = np.where(strength[..., None] < 0, to_rgb(below), to_rgb(above))
    cells[..., 3] = STRONGEST * np.abs(strength)
    if cells.size:
        ax.imshow(cells, aspect="auto", interpolation="none", extent=(0, columns, rows, 0), zorder=0)
    ax.set(xlim=(0, columns), ylim=(rows, 0))
    gap = {"color": PAPER, "linewidth": 2, "zorder": 1}
    ax.hlines(range(1, rows), 0, columns, **gap)
    ax.vlines(range(1, columns), 0, rows, **gap)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def write_cells(ax: Any, said: Any, **style: Any) -> None:
    """Text in the middle of each cell of `shade`; empty ones stay empty."""
    for row, texts in enumerate(said):
        for column, text in enumerate(texts):
            if text:
                ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", **style)


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
    width = size[0] * 90
    own = ";".join(f"--f-{name}:{colour}" for name, colour in _PAGE.values())
    drawn = svg.inline(figure, {fixed: f"var(--f-{name})" for fixed, (name, _) in _PAGE.items()})
    return (
        f'<figure class="fig" role="img" aria-label="{on_page(alt)}" '
        f'style="max-width:{width:.0f}px;--least:{width * LEAST_SCALE:.0f}px;{own}">{drawn}</figure>'
    )


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    latin = font_manager.findfont(LATIN_FONT)
    return frozenset(FT2Font(latin).get_charmap()) | frozenset(FT2Font(str(chinese_font())).get_charmap())
