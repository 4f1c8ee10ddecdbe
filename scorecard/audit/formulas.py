"""A sheet's formula once more: read by Python's own grammar, evaluated in exact fractions."""

from __future__ import annotations

import ast
import re

from indicators.slow import exact

_NAME = re.compile(r"\[([^\[\]]*)\]|((?<![\w.])[^\W\d]\w*(?:\.\w+)*)")
FUNCTIONS = ("min", "max", "abs")


class Formula:
    """A formula as a tree of Python's; `codes`: the indicators it names."""

    def __init__(self, text):
        self.codes = []
        self.tree = ast.parse(_NAME.sub(self._named, text).strip(), mode="eval").body

    def _named(self, match):
        code = (match[1] if match[1] is not None else match[2]).strip()
        if match[1] is None and code.lower() in FUNCTIONS:
            return code.lower()
        if code not in self.codes:
            self.codes.append(code)
        return f"v{self.codes.index(code)}"

    def parts(self, *, divided):
        """Numerator and denominator where the whole is a division and its parts are wanted; else the whole and None."""
        if divided and isinstance(self.tree, ast.BinOp) and isinstance(self.tree.op, ast.Div):
            return self.tree.left, self.tree.right
        return self.tree, None

    def evaluate(self, node, figures):
        """Fraction, or None where a figure it names is missing or a division is by zero. figures: {code: Fraction}."""
        named = [self.codes[int(n.id[1:])] for n in ast.walk(node) if isinstance(n, ast.Name) and n.id[0] == "v"]
        if any(figures.get(code) is None for code in named):
            return None
        try:
            return self._value(node, figures)
        except ZeroDivisionError:
            return None

    def _value(self, node, figures):
        if isinstance(node, ast.Constant):
            return exact(node.value)
        if isinstance(node, ast.Name):
            return figures[self.codes[int(node.id[1:])]]
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, figures)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Call):
            operands = [self._value(part, figures) for part in node.args]
            return abs(operands[0]) if node.func.id == "abs" else {"min": min, "max": max}[node.func.id](operands)
        left, right = self._value(node.left, figures), self._value(node.right, figures)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        return left * right if isinstance(node.op, ast.Mult) else left / right
