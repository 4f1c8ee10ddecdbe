import itertools
import json

import pytest

from benchmarks import harness


def test_runs_are_taken_in_turn():
    order = []
    harness.alternate(lambda: order.append("ours"), lambda: order.append("peer"), measure=lambda work: work())
    assert order == ["ours", "peer"] * 3


def test_fewer_than_three_runs_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        harness.alternate(lambda: None, runs=2)


def test_a_line_has_the_agreed_keys_medians_and_verdict():
    clock = itertools.count(1)
    ours, peer = harness.alternate(None, None, measure=lambda _: float(next(clock)))  # 1 3 5 beside 2 4 6
    line = harness.Report().times("refresh", ours, beside="duckdb", peer=peer, at_most=3)
    assert json.loads(line.as_json()) == {
        "name": "refresh",
        "value": 3.0,
        "unit": "s",
        "beside": "duckdb",
        "beside_value": 4.0,
        "ratio": 0.75,
        "goal": "<= 3",
        "ok": True,
    }


@pytest.mark.parametrize(("goal", "ok"), [({"at_least": 0.2}, False), ({"at_most": 0.1}, True), ({}, None)])
def test_a_goal_is_judged_on_the_ratio(goal, ok):
    report = harness.Report()
    assert report.times("pages", [1.0], beside="empty view", peer=[10.0], **goal).ok is ok
    assert report.ok is (ok is not False)


def test_without_a_peer_the_goal_is_judged_on_the_value():
    report = harness.Report()
    assert not report.fact("queries", 3, "queries", at_most=2).ok
    assert not report.ok
