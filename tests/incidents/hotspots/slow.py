"""The same formulas, one event and one cell at a time."""

import math

import numpy as np


def gi_star(values, reach, area):
    rows, columns = values.shape
    cells = [(r, c) for r in range(rows) for c in range(columns) if area[r, c]]
    n = len(cells)
    mean = math.fsum(values[cell] for cell in cells) / n
    deviation = math.sqrt(math.fsum((values[cell] - mean) ** 2 for cell in cells) / n)
    z = np.full(values.shape, np.nan)
    for r, c in cells:
        near = [(a, b) for a, b in cells if abs(a - r) <= reach and abs(b - c) <= reach]
        w = len(near)
        spread = deviation * math.sqrt((n * w - w * w) / max(1, n - 1))
        if spread:
            z[r, c] = (math.fsum(values[cell] for cell in near) - mean * w) / spread
    return z


def density(x, y, at_x, at_y, bandwidth):
    """Events a square kilometre at points, all in metres."""
    apart = (at_x[:, None] - x) ** 2 + (at_y[:, None] - y) ** 2
    return np.exp(-apart / (2 * bandwidth**2)).sum(axis=1) / (2 * math.pi * bandwidth**2) * 1e6


def adjusted(p):
    ranked = sorted(range(len(p)), key=lambda i: p[i])
    q, least = [0.0] * len(p), 1.0
    for place in range(len(p), 0, -1):
        least = min(least, p[ranked[place - 1]] * len(p) / place)
        q[ranked[place - 1]] = least
    return np.array(q)


def pairs(x, y, day, distances, days):
    """Pairs by band of distance and of days."""
    table = np.zeros((len(distances), len(days)), int)
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            apart, span = math.hypot(x[i] - x[j], y[i] - y[j]), abs(int(day[i]) - int(day[j]))
            near = [k for k, edge in enumerate(distances) if apart <= edge]
            soon = [k for k, edge in enumerate(days) if span <= edge]
            if near and soon:
                table[near[0], soon[0]] += 1
    return table


def knox(x, y, day, distances, days, shuffles, seed):
    seen, rng = pairs(x, y, day, distances, days), np.random.default_rng(seed)
    drawn = [pairs(x, y, rng.permutation(day), distances, days) for _ in range(shuffles)]
    return seen, sum(drawn) / shuffles, (1 + sum(one >= seen for one in drawn)) / (1 + shuffles)


def mann_kendall(series):
    n = len(series)
    s = sum(int(np.sign(series[j] - series[i])) for i in range(n) for j in range(i + 1, n))
    ties = [list(series).count(value) for value in set(series)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    z = 0.0 if variance <= 0 or s == 0 else (s - (1 if s > 0 else -1)) / math.sqrt(variance)
    return s, z, math.erfc(abs(z) / math.sqrt(2))
