"""The fast engine equals the slow one on random trees, sheets, figures and calendars."""

from datetime import date
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indicators import codes, slow, slow_cards
from indicators.cards import PlanTree, score_cards
from indicators.codes import Light, LightBy, Rule, Sense, Sheet, State
from indicators.year import score_year
from tests.indicators.engine import Case, assert_cell, number

QUICKLY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COMBINING = (Rule.SUM, Rule.MEAN, Rule.MAX, Rule.NONE)
OVER_UNITS = (Rule.SUM, Rule.SUM, Rule.MEAN, Rule.MAX, Rule.NONE)


@st.composite
def sheets(draw):
    """Sound sheets: plain ones, ratios, rates by population, weighted means."""
    more = {
        "sense": draw(st.sampled_from(Sense)),
        "light_by": draw(st.sampled_from(LightBy)),
        "is_count": draw(st.booleans()),
        "tolerance": draw(st.sampled_from([0.0, 2.5, 10.0, float("nan")])),
    }
    kind = draw(st.sampled_from(["plain", "ratio", "rate", "weighted"]))
    if kind == "plain":
        over_time = draw(st.sampled_from([Rule.SUM, Rule.SUM, Rule.MEAN, Rule.LAST, Rule.MAX, Rule.NONE]))
        return Sheet(over_units=draw(st.sampled_from(OVER_UNITS)), over_time=over_time, **more)
    more |= {"has_denominator": True, "scale": draw(st.sampled_from([1.0, 100.0]))}
    if kind == "weighted":
        given_weights = draw(st.booleans())
        over_time = draw(st.sampled_from([Rule.WEIGHTED_MEAN, Rule.MEAN, Rule.LAST]))
        return Sheet(over_units=Rule.WEIGHTED_MEAN, over_time=over_time, population_denominator=given_weights, **more)
    more["over_units"] = draw(st.sampled_from([Rule.RATIO, Rule.RATIO, Rule.SUM, Rule.MEAN, Rule.MAX, Rule.NONE]))
    more["den_over_units"] = draw(st.sampled_from(COMBINING))
    over_time = draw(st.sampled_from([Rule.RATIO, Rule.RATIO, Rule.MEAN, Rule.LAST]))
    if kind == "rate":
        more |= {"population_denominator": True, "den_over_time": draw(st.sampled_from([Rule.LAST, Rule.MEAN]))}
    else:
        more["den_over_time"] = draw(st.sampled_from([Rule.SUM, Rule.SUM, Rule.LAST, Rule.MAX, Rule.NONE]))
    return Sheet(over_time=over_time, **more)


def random_parents(rng, units):
    """Parents by month (12, units): one unit opens in mid-year, one closes, one moves."""
    parent = np.array([-1] + [int(rng.integers(-1 if rng.random() < 0.1 else 0, n)) for n in range(1, units)])
    parents = np.repeat(parent[None], 12, axis=0)
    for change in ("move", "open", "close"):
        unit, month = int(rng.integers(0, units)), int(rng.integers(0, 12))
        if change == "move" and unit:
            parents[month:, unit] = rng.integers(-1, unit)
        elif change != "move" and unit:
            span = slice(None, month) if change == "open" else slice(month, None)
            parents[span, unit] = -1
            parents[span][parents[span] == unit] = -1
    return parents


def sparse(rng, array, share):
    """The array with a share of its cells missing."""
    array[rng.random(array.shape) < share] = np.nan
    return array


def random_case(rng, chosen, units):
    """A year with missing figures, zero and missing targets, declared and provisional figures, quarterly indicators."""
    case = Case(chosen, random_parents(rng, units), rng.integers(0, 3, units).astype(float))
    size = case.shape
    tenths = rng.choice([1.0, 10.0])
    milestones = np.array([sheet.sense == Sense.MILESTONE for sheet in chosen])[:, None]
    case.numerator = np.where(milestones, rng.integers(0, 2, size), rng.integers(-1, 30, size) / tenths)
    case.numerator = sparse(rng, case.numerator, rng.choice([0.0, 0.1, 0.5]))
    case.denominator = sparse(rng, rng.integers(0, 40, size) / 1.0, rng.choice([0.0, 0.1]))
    case.target = np.where(milestones, rng.integers(0, 2, size), rng.integers(-1, 25, size) / tenths)
    bare = rng.choice([0.0, 0.3, 0.9])
    for name, array in (("target", case.target), ("baseline", rng.integers(0, 25, size) / tenths)):
        setattr(case, name, sparse(rng, array, bare))
    case.low = sparse(rng, rng.integers(0, 15, size) / tenths, max(bare, 0.2))
    case.high = sparse(rng, rng.integers(5, 40, size) / tenths, max(bare, 0.2))
    case.declared_na, case.provisional = rng.random(size) < 0.05, rng.random(size) < rng.choice([0.0, 0.3])
    quarterly = rng.random(size[1]) < 0.25
    measured = np.array([[month % 3 == 2 or not q for q in quarterly] for month in range(12)])
    leaves = np.array([[unit not in parents for unit in range(units)] for parents in case.parents])
    case.due = measured[:, :, None] & (leaves[:, None, :] | (rng.random(size) < 0.15)) & (rng.random(size) < 0.9)
    return case


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    chosen = draw(st.lists(sheets(), min_size=1, max_size=4))
    return random_case(rng, chosen, draw(st.integers(1, 8)))


days = st.one_of(st.none(), st.dates(date(2023, 1, 1), date(2024, 1, 5)))


@QUICKLY
@given(case=cases(), as_of=days, approved_only=st.booleans())
def test_fast_engine_equals_the_slow_one(case, as_of, approved_only):
    options = {"year": 2023, "as_of": as_of, "approved_only": approved_only}
    result = score_year(case.table, case.trees, case.figures, case.targets, case.due, **options)
    for k in range(case.shape[1]):
        for (month, unit), cell in case.slow(k, **options).items():
            index = (month - 1, k, unit)
            assert_cell(result, index, cell)
            for name in ("numerator", "denominator") if case.sheets[k].has_denominator else ("numerator",):
                found, expected = getattr(result, name)[index], number(getattr(cell, name))
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=f"{name} {index}")
            driver = cell.driver(case.sheets[k])
            found = codes.unpack_marks(result.driver_marks[index])
            assert (found.state, found.light) == (driver.state, driver.light), index
            raw = result.driver_attainment[index]
            np.testing.assert_allclose(raw, number(driver.attainment), rtol=1e-9, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(case=cases(), first=st.integers(0, 11))
def test_later_months_alone_equal_their_part_of_the_whole_year(case, first):
    whole = score_year(case.table, case.trees, case.figures, case.targets, case.due, year=2023)
    part = score_year(case.table, case.trees, case.figures, case.targets, case.due, year=2023, first=first)
    for name in ("driver_marks", "driver_attainment", "worst_child", "reported", "months_due"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[first:])


# --- cards


@st.composite
def objectives(draw, depth=0):
    """A random plan of lines and objectives."""
    weight = st.sampled_from([0, 1, 10, 33.3, 50])
    children = draw(st.lists(lines(), min_size=0, max_size=4))
    if depth < 2:
        children += draw(st.lists(objectives(depth=depth + 1), max_size=2))
    return slow_cards.SlowObjective(draw(weight), children)


@st.composite
def lines(draw):
    raw = draw(st.one_of(st.none(), st.sampled_from([-50.0, 0.0, 50.0, 84.9, 94.96, 95.0, 100.0, 130.0])))
    state = State.EVALUATED if raw is not None else draw(st.sampled_from(list(State)[:3]))
    colour = slow.light(slow.exact(raw))
    if raw is not None and draw(st.integers(0, 4)) == 0:
        colour = Light.WITHHELD
    provisional = raw is not None and draw(st.booleans())
    return slow_cards.SlowLine(draw(st.sampled_from([0, 1, 10, 33.3, 50])), raw, state, colour, provisional)


def flatten(objective, parent=-1, found=None):
    """(nodes, lines) of a plan: nodes are (objective, parent), lines are (line, node), in the order of the walk."""
    found = found or ([], [])
    nodes, below = found
    here = len(nodes)
    nodes.append((objective, parent))
    for child in objective.children:
        if isinstance(child, slow_cards.SlowObjective):
            flatten(child, here, found)
        else:
            child.name = len(below)
            below.append((child, here))
    return found


@settings(max_examples=200, deadline=None)
@given(objective=objectives())
def test_fast_cards_equal_the_slow_ones(objective):
    nodes, below = flatten(objective)
    weights = [node.weight for node, _ in nodes], [line.weight for line, _ in below]
    plan = PlanTree.of([parent for _, parent in nodes], weights[0], [node for _, node in below], weights[1])
    raw = np.array([number(line.attainment) for line, _ in below]).reshape(-1, 1)
    marks = [codes.pack_marks(line.state, line.light, provisional=np.bool_(line.provisional)) for line, _ in below]
    card = score_cards(plan, raw, np.array(marks, np.int16).reshape(-1, 1))
    for i, (node, _) in enumerate(nodes):
        expected = slow_cards.slow_card(node)
        for name in ("score", "low", "high", "coverage"):
            found = getattr(card, name)[i, 0]
            np.testing.assert_allclose(found, number(getattr(expected, name)), rtol=1e-9, atol=1e-9, err_msg=name)
        cell = codes.unpack_marks(card.marks[i, 0])
        assert (cell.state, cell.light, cell.provisional) == (expected.state, expected.light, expected.provisional)
        assert card.has_red[i, 0] == expected.has_red
        assert card.without_data[i, 0] == expected.without_data
        assert card.not_evaluable[i, 0] == expected.not_evaluable
        assert card.worst_line[i, 0] == (-1 if expected.worst_line is None else expected.worst_line)


def test_oracle_is_not_blind():
    """A changed figure changes the slow engine's answer: the comparison above could fail."""
    case = Case([Sheet(Sense.LOWER)], [-1, 0])
    case.numerator[0, 0, 1], case.target[0], case.due[0, 0, 1] = 3, 4, True
    before = case.slow(0, year=2023)[1, 0].month.attainment
    case.numerator[0, 0, 1] = 5
    assert (before, case.slow(0, year=2023)[1, 0].month.attainment) == (Fraction(125), Fraction(75))
