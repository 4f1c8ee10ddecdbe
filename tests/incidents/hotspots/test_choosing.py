"""A method that was chosen by test has the score of the choosing: by what was over by then, held against what came."""

import numpy as np

from incidents.hotspots.accuracy import choosing, earlier, origins


def test_each_window_has_the_method_that_was_best_on_those_that_were_over():
    pai = np.array([[5.0, 1.0, 1.0, 1.0], [2.0, 9.0, 9.0, 9.0]])
    found = choosing(pai, np.array([0, 91, 182, 273]), 91)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [1.0, 9.0, 9.0]


def test_a_window_that_is_not_over_yet_is_not_looked_at():
    pai = np.array([[5.0, 1.0, 1.0], [2.0, 9.0, 9.0]])
    found = choosing(pai, np.array([0, 50, 100]), 91)
    assert np.isnan(found[:2]).all()
    assert found[2] == 1.0, "the second window, which would say the other, runs until day 141"


def test_of_methods_that_differ_by_chance_alone_choosing_is_no_better_than_any():
    rng = np.random.default_rng(4)
    starts, best, chosen = np.arange(12) * 91, [], []
    for _n in range(400):
        pai = rng.gamma(4, 0.25, (7, 12))
        best.append(pai.mean(1).max())
        chosen.append(np.nanmean(choosing(pai, starts, 91)))
    assert np.mean(best) > 1.15, "the highest of seven by hindsight"
    assert abs(np.mean(chosen) - 1) < 0.03


def test_the_windows_of_a_first_choice_are_over_before_those_that_are_scored():
    for days in (120, 365, 730, 3650):
        horizon = min(91, days // 4)
        first, after = earlier(0, days - 1, 4, horizon), origins(0, days - 1, 8, horizon)
        assert first.min() >= days // 4
        assert first.max() + horizon <= after.min()
