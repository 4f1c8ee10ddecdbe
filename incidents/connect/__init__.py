"""Events that are fetched: a source of another institution read page by page, on a schedule, from where it was left.

What a source sends and the feed refuses is kept as a dead letter: a person reads it, mends the cause, and replays it.
"""
