"""Colours of the figures: told apart by colour-blind eyes, seen on light paper and dark, the same for one tier everywhere."""

import itertools

import numpy as np
import pytest

from tierbook.show import figures
from tierbook.show.words import Words

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB
SIMULATIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TIERS = ("high", "potential", "ordinary", "low", "outside")
WHITE, DARK_PAPER = "#ffffff", "#12181f"


def linear(colour):
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    dark, light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    share = to_xyz @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_measures_themselves_against_published_numbers():
    assert contrast("#000000", WHITE) == pytest.approx(21)  # WCAG 2: black on white
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)  # WCAG's known near miss of 4.5
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)  # CIELAB of sRGB red, D65


@pytest.mark.parametrize("sight", SIMULATIONS)
def test_tiers_stand_apart_for_every_sight(sight):
    seen = {tier: lab(SIMULATIONS[sight] @ linear(figures.TIER_COLOURS[tier])) for tier in TIERS}
    for one, other in itertools.combinations(TIERS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 15, (one, other)


def test_data_colours_are_seen_on_both_papers():
    for colour in (
        *figures.TIER_COLOURS.values(),
        *figures.FURTHER_COLOURS,
        figures.RISK_COLOUR,
        figures.NEUTRAL,
    ):
        assert contrast(colour, WHITE) >= 3 and contrast(colour, DARK_PAPER) >= 3, colour


def test_ink_is_readable_on_the_strongest_cell_of_either_paper():
    # a cell is its colour over the paper at STRONGEST; AA asks 4.5 of small text
    for colour in (figures.TIER_COLOURS["high"], figures.TIER_COLOURS["low"], figures.RISK_COLOUR):
        for paper, ink in ((WHITE, figures.INK), (DARK_PAPER, "#e6ebf1")):
            parts = [[int(code[place : place + 2], 16) for place in (1, 3, 5)] for code in (colour, paper)]
            mixed = figures.STRONGEST * np.array(parts[0]) + (1 - figures.STRONGEST) * np.array(parts[1])
            cell = "#" + "".join(f"{round(part):02x}" for part in mixed)
            assert contrast(cell, ink) >= 4.5, (colour, paper)


def test_a_tier_keeps_its_colour_whichever_tiers_stand_beside_it():
    words = Words(
        "en", "CNY", {"tier": {"gold": {"en": "Gold"}, "silver": {"en": "Silver"}, "bronze": {"en": "Bronze"}}}
    )
    whole = figures.tier_colours(["gold", "silver", "bronze", "outside"], words)
    assert len(set(whole.values())) == 4
    for part in (["bronze"], ["silver", "outside"], ["bronze", "gold"]):
        assert figures.tier_colours(part, words) == {tier: whole[tier] for tier in part}
    assert figures.tier_colours(["low", "high"])["high"] == figures.tier_colours(["high"])["high"]


def test_names_of_the_shipped_schemes_have_the_colour_of_their_rank():
    colours = figures.tier_colours(["vip", "standard", "prospect", "high", "ordinary", "potential"])
    assert colours["vip"] == colours["high"] and colours["standard"] == colours["ordinary"]
    assert colours["prospect"] == colours["potential"]
