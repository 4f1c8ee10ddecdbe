"""When a source that failed is asked again: exponential with jitter, and never before it asked to be. Pure."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

FIRST, LONGEST = 5.0, 3_600.0  # seconds
LONGEST_ASKED = 86_400.0  # a source that asks for more is tried after a day all the same


def pause(failures: int, *, share: float, retry_after: float | None = None) -> timedelta:
    """After so many failures in a row, 1 and up. share: 0 to 1, at random, so that connectors do not come together.

    Between half of the step and the whole of it; a source's own wish is the least.
    """
    step = min(LONGEST, FIRST * 2 ** min(failures - 1, 20))
    seconds = step * (0.5 + share / 2)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, LONGEST_ASKED))
    return timedelta(seconds=seconds)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or an instant ; None where it is neither."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return None if at.tzinfo is None else max(0.0, (at - now).total_seconds())
