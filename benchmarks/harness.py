"""How everything is measured: ours and a peer in turn, at least three times, medians, one JSON object a line.

    @bench("refresh")
    def refresh(report, options):
        ours, peer = alternate(lambda: refresh_all(), lambda: duckdb_all())
        report.times("refresh all months", ours, beside="duckdb", peer=peer, at_most=3.0)

`make bench` and `manage.py bench NAME` find the functions in benchmarks/*.py by their decorator.
"""

import gc
import importlib
import json
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

RUNS = 3
_BENCHES: dict[str, Callable] = {}


def bench(name):
    """Register a function of (report, options) under this name."""

    def register(function):
        if name in _BENCHES and _BENCHES[name].__module__ != function.__module__:
            raise ValueError(f"two benchmarks are called {name}")
        _BENCHES[name] = function
        return function

    return register


def benches():
    """Every registered benchmark by name. A module whose peer is not installed says so when it is asked for."""
    import benchmarks

    for module in pkgutil.iter_modules(benchmarks.__path__):
        importlib.import_module(f"benchmarks.{module.name}")
    return dict(sorted(_BENCHES.items()))


def seconds(work):
    """How long `work()` takes by the clock on the wall, the garbage of what went before collected first."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(*works, runs=RUNS, measure=seconds):
    """Measure each in turn, `runs` times over, so that what the machine does meanwhile falls on all alike.

    Returns one list of measurements for each of `works`.
    """
    if runs < RUNS:
        raise ValueError(f"a median needs at least {RUNS} runs")
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for measurements, work in zip(taken, works, strict=True):
            measurements.append(measure(work))
    return taken


@dataclass
class Line:
    """One measurement. `ratio` is value over beside_value; `goal` says what it must be, and `ok` whether it is."""

    name: str
    value: float
    unit: str
    beside: str | None = None
    beside_value: float | None = None
    ratio: float | None = None
    goal: str | None = None
    ok: bool | None = None

    def as_json(self):
        return json.dumps({key: _rounded(value) for key, value in vars(self).items()}, ensure_ascii=False)


@dataclass
class Report:
    """Collects lines and hands each on as it comes."""

    emit: Callable[[Line], None] = lambda _: None
    lines: list[Line] = field(default_factory=list)

    def times(self, name, ours, *, unit="s", beside=None, peer=None, at_most=None, at_least=None):
        """Medians of two lists of measurements, their ratio, and its goal: at most or at least so much."""
        value = median(ours)
        beside_value = median(peer) if peer else None
        ratio = value / beside_value if beside_value else None
        goal, ok = _judge(ratio if peer else value, at_most, at_least)
        return self._add(Line(name, value, unit, beside, beside_value, ratio, goal, ok))

    def fact(self, name, value, unit, *, at_most=None, at_least=None):
        """A number that is not timed: a size, a count of queries, a greatest difference."""
        return self._add(Line(name, value, unit, goal=(judged := _judge(value, at_most, at_least))[0], ok=judged[1]))

    def _add(self, line):
        self.lines.append(line)
        self.emit(line)
        return line

    @property
    def ok(self):
        return all(line.ok is not False for line in self.lines)


def _judge(number, at_most, at_least):
    if at_most is not None:
        return f"<= {at_most:g}", number <= at_most
    if at_least is not None:
        return f">= {at_least:g}", number >= at_least
    return None, None


def _rounded(value):
    return float(f"{value:.6g}") if isinstance(value, float) else value
