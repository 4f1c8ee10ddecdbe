"""Formulas: the grammar, its errors, division by zero, circles and order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.formula import CycleError, FormulaError, codes, evaluate, evaluate_all, order, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8 / 4 / 2", 1),
        ("7 - 2 - 1", 4),
        ("-2 * -3", 6),
        ("- (2 + 1)", -3),
        ("2e3 + .5", 2000.5),
        ("min(3, 1, 2) + max(4, 9) + abs(-1)", 11),
        ("A + B.x_1", 42),
        ("[13.1 a] * 2", 6),
        ("100 * A / (A + B.x_1)", 100 * 40 / 42),
    ],
)
def test_formula_is_worked_out_by_the_usual_precedence(text, expected):
    figures = {"A": np.array(40.0), "B.x_1": np.array(2.0), "13.1 a": np.array(3.0)}
    assert evaluate(text, figures).values == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "empty"),
        ("1 +", 3, "the formula ends here"),
        ("1 + * 2", 4, 'found "*"'),
        ("(1 + 2", 6, r'Expected "\)"'),
        ("1 2", 2, "an operator or the end"),
        ("A & B", 2, 'Did not expect "&"'),
        ("min 3", 4, r'"\(" after min'),
        ("abs(1, 2)", 8, "one argument"),
        ("[A", 0, r'Expected "\]"'),
        ("[ ]", 0, "between the brackets"),
        ("2A", 0, "Did not expect"),
        ("__import__('os')", 11, "Did not expect"),
        ("A ** 2", 3, r'found "\*"'),
    ],
)
def test_error_names_position_and_what_was_expected(text, position, says):
    with pytest.raises(FormulaError, match=says) as caught:
        parse(text)
    assert caught.value.position == position


def test_formula_too_deep_or_too_long_is_refused():
    with pytest.raises(FormulaError, match="nested too deeply"):
        parse("(" * 200 + "1" + ")" * 200)
    with pytest.raises(FormulaError, match="nested too deeply"):
        parse("-" * 200 + "1")
    with pytest.raises(FormulaError, match="longer than"):
        parse("1+" * 1500 + "1")


def test_division_by_zero_is_not_evaluable_and_a_missing_figure_is_missing():
    figures = {"A": np.array([1.0, np.nan, 0.0, 6.0]), "B": np.array([0.0, 0.0, 0.0, 3.0])}
    found = evaluate("100 * A / B", figures)
    np.testing.assert_array_equal(found.values, [np.nan, np.nan, np.nan, 200.0])
    assert found.not_evaluable.tolist() == [True, False, True, False]


def test_minimum_with_a_missing_figure_is_missing():
    found = evaluate("min(A, 1)", {"A": np.array([np.nan, 3.0])})
    np.testing.assert_array_equal(found.values, [np.nan, 1.0])
    assert not found.not_evaluable.any()


def test_unknown_code_is_named():
    with pytest.raises(FormulaError, match=r"no indicator with the code A\.9"):
        evaluate("A.9 + 1", {"A": np.array(1.0)})


def test_codes_are_found_once_each_in_order():
    assert codes("B.2 / A + [A] - max(C, B.2)") == ("B.2", "A", "C")


def test_circle_is_named():
    with pytest.raises(CycleError, match="B → C → B") as caught:
        order({"A": "B + 1", "B": "C", "C": "B * 2"})
    assert caught.value.cycle == ["B", "C", "B"]
    with pytest.raises(CycleError, match="A → A"):
        order({"A": "A + 1"})


def test_diamond_is_no_circle():
    assert order({"D": "B + C", "B": "A", "C": "A", "A": "X"}) == ["A", "B", "C", "D"]


def test_long_chain_is_put_in_order():
    chain = {f"I{i}": f"I{i + 1} + 1" for i in range(3000)}
    assert order(chain)[0] == "I2999"


def test_formulas_feed_on_each_other():
    found = evaluate_all({"R": "100 * S / T", "S": "A + B"}, {"A": np.ones(2), "B": np.ones(2), "T": np.array([4, 0])})
    np.testing.assert_array_equal(found["R"].values, [50.0, np.nan])
    assert found["R"].not_evaluable.tolist() == [False, True]


expressions = st.recursive(
    st.one_of(st.integers(0, 99).map(str), st.sampled_from(["A", "B.1", "[2 b]"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        inner.map(lambda part: f"abs(-{part})"),
    ),
    max_leaves=12,
)


@given(text=expressions)
def test_formula_equals_pythons_own_arithmetic(text):
    figures = {"A": np.array(3.0), "B.1": np.array(-2.0), "2 b": np.array(7.0)}
    plain = text.replace("B.1", "(-2)").replace("[2 b]", "7").replace("A", "3")
    assert evaluate(text, figures).values == pytest.approx(eval(plain), rel=1e-12)  # noqa: S307 - our own text


@given(text=st.text(max_size=30))
def test_any_text_is_a_formula_or_an_error_at_a_place_in_it(text):
    assert 0 <= place_of_error(text) <= len(text)


def place_of_error(text):
    """Where a text stops being a formula; 0 if it is one."""
    try:
        parse(text)
    except FormulaError as error:
        return error.position
    return 0


@given(a=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), b=st.floats(-1e6, 1e6))
def test_arrays_are_worked_out_cell_by_cell(a, b):
    whole = evaluate("A / B - A", {"A": np.array(a), "B": np.array(b)})
    single = [evaluate("A / B - A", {"A": np.array(one), "B": np.array(b)}).values for one in a]
    np.testing.assert_array_equal(whole.values, single)
