"""The time a run still takes: the arithmetic of the estimate, and the words for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook import params
from tierbook.report import progress, runner
from tierbook.report.progress import Forecast, expected, in_words, past

FORECAST = Forecast(
    {"accounting": 20.0, "scores": 75.0}, {"01_profile": 30.0, "02_tiers": 40.0, "tables": 50.0}, jobs=2
)


@pytest.mark.parametrize(
    ("took", "left"),
    [
        ({}, 155),  # 20 + 75 + (30 + 40 + 50) / 2, at the pace of 5 / 5
        ({"accounting": 20.0}, 135),  # as expected: 75 + 60
        ({"accounting": 45.0}, 270),  # pace (5 + 45) / (5 + 20) = 2
        ({"accounting": 7.5}, 67.5),  # pace (5 + 7.5) / 25 = 0.5
        ({"accounting": 1.9}, 135),  # under a tenth of 20: kept from before, nothing of the pace
        ({"accounting": 20.0, "scores": 75.0, "01_profile": 30.0}, 45),  # (40 + 50) / 2
        ({"accounting": 20.0, "gates": 400.0}, 135),  # a step that no one expected is no measure
        ({"accounting": 20.0, "scores": 75.0, "01_profile": 30.0, "02_tiers": 40.0, "tables": 50.0}, 0),
    ],
)
def test_what_is_left_is_what_was_expected_at_the_pace_of_this_run(took, left):
    assert FORECAST.left(took) == pytest.approx(left)


@given(st.floats(2.0, 1e4), st.floats(1.0, 100.0), st.sampled_from(sorted(FORECAST.beside)))
def test_a_slower_step_never_means_less_left_and_a_finished_one_never_more(seconds, times, notebook):
    took = {"accounting": seconds}
    assert FORECAST.left({"accounting": seconds * times}) >= FORECAST.left(took) * (1 - 1e-9)
    assert 0 < FORECAST.left({**took, notebook: 0.0}) < FORECAST.left(took)


def test_a_step_takes_as_long_as_the_longest_of_the_last_runs_else_as_its_rows():
    runs = [{"scores": 8.0, "01_profile_data": 20.0}, {"scores": 0.1}]  # the second read the scores that were kept
    found = expected(["scores", "book", "01_profile_data", "02_segment_customers", "loop"], 2_000_000, runs)
    # by rows: book 0.5 + 2 × 2.3; a notebook 6, any other step 0.3
    assert found == {"scores": 8.0, "book": 5.1, "01_profile_data": 20.0, "02_segment_customers": 6.0, "loop": 0.3}


def test_the_last_three_published_runs_count_and_a_broken_one_does_not(tmp_path):
    for month in range(5, 10):
        (tmp_path / f"2026-{month:02d}-28").mkdir()
        (tmp_path / f"2026-{month:02d}-28" / "run.json").write_text(json.dumps({"seconds": {"scores": month}}))
    (tmp_path / "2026-08-28" / "run.json").write_text("{")
    assert past(tmp_path) == [{"scores": 7.0}, {"scores": 9.0}]
    assert past(tmp_path / "none") == []


@pytest.mark.parametrize("written", ["[]", '{"seconds": null}', '{"seconds": {"scores": "long"}}', "{}", '"x"'])
def test_a_run_json_of_another_form_is_passed_over(tmp_path, written):
    (tmp_path / "2026-10-31").mkdir()
    (tmp_path / "2026-10-31" / "run.json").write_text(written)
    assert past(tmp_path) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.0, ""),
        (0.1, "less than a minute left"),
        (29.9, "less than a minute left"),
        (30.1, "about 1 min left"),
        (240, "about 4 min left"),
        (3569, "about 59 min left"),
        (3571, "about 1 h 0 min left"),
        (4800, "about 1 h 20 min left"),
    ],
)
def test_time_left_in_words(seconds, said):
    assert in_words(seconds) == said


def test_the_log_and_the_bar_tell_what_is_left(tmp_path, capsys):
    tree = params.parse(
        {"as_of": "2026-10-31", "report": {"name": "shop"}, "source": {"transactions": {"path": "o.csv"}}}
    )
    run = runner.Run(tree, "shop.yaml", tmp_path, jobs=2)
    run.took("accounting", 20.0)
    run.forecast = Forecast({"accounting": 20.0, "scores": 240.0}, {}, 2)
    assert run.at("scores") == "scores, about 4 min left"
    run.took("scores", 240.0)
    assert run.at("02_tiers") == "02_tiers"
    first, last = capsys.readouterr().err.splitlines()
    assert first.endswith(" accounting 20.0 s") and last.endswith(" scores 240.0 s")


def test_the_bar_shows_no_guess_of_its_own(monkeypatch):
    monkeypatch.setattr(progress, "_on_terminal", lambda: True)
    assert "remaining" not in progress.bar("shop 2026-10-31", 3).bar_format
