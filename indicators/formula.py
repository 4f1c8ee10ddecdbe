"""Formulas over other indicators' codes: a small grammar of our own, parsed to a tree and evaluated on arrays.

    formula = term (("+" | "-") term)*          factor = ("-" | "+") factor | number | code | call | "(" formula ")"
    term    = factor (("*" | "/") factor)*      call   = ("min" | "max" | "abs") "(" formula ("," formula)* ")"
    code    = letters, digits, "_" and dots, beginning with a letter: INT.01 - or anything in [brackets]: [13.1 a]

A division by zero, and a missing figure, make the cell NaN; `evaluate` says which of the two it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

MAX_LENGTH = 2_000
MAX_DEPTH = 50
FUNCTIONS = {"min": np.minimum, "max": np.maximum, "abs": np.abs}
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|\[(?P<bracketed>[^\[\]]*)\]|(?P<name>[^\W\d]\w*(?:\.\w+)*)|(?P<sign>[-+*/(),])"
)


class FormulaError(ValueError):
    """What is wrong with a formula: message, the text, and the position (from 0) where it shows."""

    def __init__(self, message: str, text: str = "", position: int = 0):
        super().__init__(f"{message} (at character {position + 1})" if text else message)
        self.message, self.text, self.position = message, text, position


class CycleError(ValueError):
    """A circle of formulas; `cycle` names it from its first code back to itself."""

    def __init__(self, cycle: list[str]):
        super().__init__("The formulas go in a circle: " + " → ".join(cycle))
        self.cycle = cycle


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Code:
    name: str


@dataclass(frozen=True)
class Operation:
    """A sign or function with its operands; "neg" is the minus before a single factor."""

    sign: str
    operands: tuple


Node = Number | Code | Operation


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[Token]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise FormulaError(_unreadable(text, position), text, position)
        kind = match.lastgroup
        if kind == "bracketed" and not match[kind].strip():
            raise FormulaError("Expected an indicator's code between the brackets", text, position)
        if kind != "space":
            found.append(Token(kind, match[kind].strip(), position))
        position = match.end()
    return [*found, Token("end", "", len(text))]


def _unreadable(text: str, position: int) -> str:
    if text[position] == "[":
        return 'Expected "]" after the indicator\'s code'
    return f'Did not expect "{text[position]}"'


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str):
        self.text, self.tokens, self.at, self.depth = text, _tokens(text), 0, 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, expected: str):
        found = f'found "{self.token.text}"' if self.token.kind != "end" else "the formula ends here"
        raise FormulaError(f"Expected {expected}, {found}", self.text, self.token.position)

    def take(self, *signs: str) -> str | None:
        """The next sign if it is one of these."""
        if self.token.kind == "sign" and self.token.text in signs:
            self.at += 1
            return self.tokens[self.at - 1].text
        return None

    def whole(self) -> Node:
        node = self.sum()
        if self.token.kind != "end":
            self.fail("an operator or the end")
        return node

    def sum(self) -> Node:
        return self._chain(self.term, "+", "-")

    def term(self) -> Node:
        return self._chain(self.factor, "*", "/")

    def _chain(self, part, *signs: str) -> Node:
        node = part()
        while sign := self.take(*signs):
            node = Operation(sign, (node, part()))
        return node

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaError("The formula is nested too deeply", self.text, self.token.position)
        sign = self.take("-", "+")
        node = self.factor() if sign else self.atom()
        self.depth -= 1
        return Operation("neg", (node,)) if sign == "-" else node

    def atom(self) -> Node:
        token = self.token
        if self.take("("):
            return self._closed(self.sum())
        if token.kind not in ("number", "name", "bracketed"):
            self.fail("a number, an indicator's code or a parenthesis")
        self.at += 1
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind == "name" and token.text.lower() in FUNCTIONS:
            return self._call(token.text.lower())
        return Code(token.text)

    def _closed(self, node: Node) -> Node:
        if not self.take(")"):
            self.fail('")"')
        return node

    def _call(self, name: str) -> Node:
        if not self.take("("):
            self.fail(f'"(" after {name}')
        operands = [self.sum()]
        while self.take(","):
            operands.append(self.sum())
        if name == "abs" and len(operands) != 1:
            raise FormulaError("abs takes one argument", self.text, self.token.position)
        return self._closed(Operation(name, tuple(operands)))


def parse(text: str) -> Node:
    """The tree of a formula. Raises FormulaError with position and what was expected."""
    if not text.strip():
        raise FormulaError("The formula is empty", text)
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"The formula is longer than {MAX_LENGTH} characters", text, MAX_LENGTH)
    return _Parser(text).whole()


def _nodes(node: Node):
    yield node
    for operand in getattr(node, "operands", ()):
        yield from _nodes(operand)


def codes(formula: str | Node) -> tuple[str, ...]:
    """The indicators a formula is made of, each once, in order of appearance."""
    node = parse(formula) if isinstance(formula, str) else formula
    return tuple(dict.fromkeys(part.name for part in _nodes(node) if isinstance(part, Code)))


@dataclass(frozen=True)
class Evaluation:
    """values: float array, NaN where missing or not evaluable; not_evaluable: bool, True for a division by zero."""

    values: np.ndarray
    not_evaluable: np.ndarray


def evaluate(formula: str | Node, figures: Mapping[str, np.ndarray]) -> Evaluation:
    """A formula on arrays of one shape (or that broadcast), NaN is missing. KeyError-free: an unknown code is named.

    A cell is missing if any figure it needs is; it is not evaluable if all are there and a division is by zero (or the
    result is beyond all numbers).
    """
    node = parse(formula) if isinstance(formula, str) else formula
    needed = codes(node)
    unknown = [name for name in needed if name not in figures]
    if unknown:
        raise FormulaError(f"There is no indicator with the code {unknown[0]}")
    arrays = {name: np.asarray(figures[name], np.float64) for name in needed}
    with np.errstate(all="ignore"):
        values = np.asarray(_value(node, arrays), np.float64)
    shape = np.broadcast_shapes(values.shape, *(array.shape for array in arrays.values()))
    values = np.array(np.broadcast_to(values, shape))
    values[~np.isfinite(values)] = np.nan
    missing = reduce(np.logical_or, (np.isnan(array) for array in arrays.values()), np.zeros(shape, bool))
    return Evaluation(values, np.isnan(values) & ~missing)


def _value(node: Node, arrays: Mapping[str, np.ndarray]):
    if isinstance(node, Number):
        return np.float64(node.value)
    if isinstance(node, Code):
        return arrays[node.name]
    operands = [_value(operand, arrays) for operand in node.operands]
    if node.sign == "neg":
        return -operands[0]
    if node.sign == "/":
        top, under = operands
        return np.where(under == 0, np.nan, top / under)
    functions = FUNCTIONS | {"+": np.add, "-": np.subtract, "*": np.multiply}
    if node.sign == "abs":
        return np.abs(operands[0])
    return reduce(functions[node.sign], operands)


def order(formulas: Mapping[str, str | Node]) -> list[str]:
    """Codes of formula indicators in an order in which each comes after all it needs. CycleError names a circle."""
    needs = {code: [name for name in codes(formula) if name in formulas] for code, formula in formulas.items()}
    done: dict[str, None] = {}
    for code in needs:
        _visit(code, needs, done)
    return list(done)


def _visit(code: str, needs: Mapping[str, list[str]], done: dict[str, None]) -> None:
    """Depth first from one code, without recursion, so that a long chain is no trouble."""
    path: dict[str, None] = {}
    stack = [(code, False)]
    while stack:
        here, leaving = stack.pop()
        if leaving:
            path.pop(here)
            done[here] = None
        elif here in path:
            names = list(path)
            raise CycleError([*names[names.index(here) :], here])
        elif here not in done:
            path[here] = None
            stack.append((here, True))
            stack.extend((name, False) for name in reversed(needs[here]))


def evaluate_all(formulas: Mapping[str, str | Node], figures: Mapping[str, np.ndarray]) -> dict[str, Evaluation]:
    """All formula indicators from the figures of the others, each after those it needs."""
    known, found = dict(figures), {}
    for code in order(formulas):
        found[code] = evaluate(formulas[code], known)
        known[code] = found[code].values
    return found
