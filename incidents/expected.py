"""How many events are usual: the mean of the weeks before, and the range within which chance alone keeps it.

Pure arithmetic: no Django, no clock.
"""

import math

LEVEL = 0.95


def usual_range(mean: float, level: float = LEVEL) -> tuple[int, int]:
    """The least and most of a Poisson count of this mean, each tail at most (1 - level) / 2 beyond it.

    P(X <= low) is the first to reach the lower tail, P(X <= high) the first to reach its complement.
    """
    if not mean > 0:
        return 0, 0
    tail = (1 - level) / 2
    if mean > 500:  # the sum would begin below the smallest float; the normal limit is within one event there
        spread = 1.959964 * math.sqrt(mean) if level == LEVEL else math.sqrt(-2 * mean * math.log(tail))
        return max(0, math.floor(mean - spread)), math.ceil(mean + spread)
    term = total = math.exp(-mean)
    k, low = 0, None
    while True:
        if low is None and total >= tail:
            low = k
        if total >= 1 - tail:
            return low, k
        k += 1
        term *= mean / k
        total += term
