"""The style of figures: seaborn's whitegrid, without what importing seaborn costs every kernel."""

import json
import subprocess
import sys

import pytest

OURS = """
import json, sys
from tierbook.show import figures
from tierbook.show.words import Words
figures.setup()
import matplotlib
kept = {name: repr(value) for name, value in matplotlib.rcParams.items() if name != "backend"}
figures.render(lambda ax, words: ax.plot([1, 2]) and "客户 2", Words("zh"))
print(json.dumps([kept, [name for name in ("seaborn", "scipy", "pandas") if name in sys.modules]]))
"""
SEABORNS = """
import json, matplotlib, seaborn
from tierbook.show import figures
colours = [*dict.fromkeys(figures.TIER_COLOURS.values()), *figures.FURTHER_COLOURS]
seaborn.set_theme(style="whitegrid", palette=colours)
own = {key: value for key, value in figures._STYLE.items() if key not in figures._WHITEGRID}
matplotlib.rcParams.update({**own, "font.family": [figures.LATIN_FONT, figures.CHINESE_FONT]})
print(json.dumps({name: repr(value) for name, value in matplotlib.rcParams.items() if name != "backend"}))
"""
# A family that no text asks for, a colour map that no picture uses, and the same ten colours written as numbers.
NEVER_SEEN = {"font.sans-serif", "image.cmap", "axes.prop_cycle"}


def said(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.long
def test_the_style_is_seaborns_whitegrid_under_our_own_colours_and_fonts_and_costs_no_import_of_it():
    (ours, loaded), seaborns = said(OURS), said(SEABORNS)
    assert {name for name in ours if ours[name] != seaborns[name]} <= NEVER_SEEN
    assert loaded == []
