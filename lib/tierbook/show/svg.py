"""A drawn figure as the short SVG that stands within a page: half matplotlib's bytes, ids of its own."""

import hashlib
import io
import re
import warnings
from typing import Any


def inline(figure: Any, colours: dict[str, str]) -> str:
    """A matplotlib figure as an ``<svg>`` to stand within a page: no size of its own, hidden from screen readers.

    ``colours``: hex colour as drawn → what the page writes for it, a CSS variable. The same figure gives the same bytes.

    Raises
    ------
    UserWarning
        When a sign has no glyph in the figure's fonts.
    """
    drawn = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"Glyph .* missing")
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 aria-hidden="true"', svg, count=1)
    svg = re.sub("|".join(colours), lambda colour: colours[colour[0]], svg)
    return _with_own_ids(_short(svg))


def _short(svg: str) -> str:
    """The same drawing in half the bytes: no names of groups, no spaces in paths, letters placed by x alone."""
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", _rounded(svg)).replace("xlink:href", "href")
    svg = re.sub(r'(<use [^>]*)transform="translate\((-?[\d.]+) (-?[\d.]+)\)"', _placed, svg)
    svg = re.sub(
        r'\bd="[^"]*"', lambda path: re.sub(r"\s*([A-Za-z])\s*(?=[-\d])", r"\1", path[0].replace("\n", "")), svg
    )
    return re.sub(r"\n\s*", "\n", re.sub(r' style="fill: none; *"', ' style="fill:none"', svg))


def _placed(use: re.Match) -> str:
    x, y = (f"{float(number):.4g}" for number in use.groups()[1:])
    return f'{use[1]}x="{x}"' + (f' y="{y}"' if y != "0" else "")


def _rounded(svg: str) -> str:
    # a hundredth of a point is finer than any screen; matplotlib writes six decimals
    def shorten(attribute: re.Match) -> str:
        return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", attribute[0])

    return re.sub(r'\b(?:d|points|x|y|x1|x2|y1|y2)="[^"]*"|translate\([^)]*\)', shorten, svg)


def _with_own_ids(svg: str) -> str:
    # ids count within the whole page, and a reference into a hidden figure draws nothing
    own = f"f{hashlib.sha256(svg.encode()).hexdigest()[:8]}-"
    names = {name: f"{own}{place:x}" for place, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    return re.sub(r'(\bid="|href="#|url\(#)([^")]+)', lambda ref: ref[1] + names[ref[2]], svg)
