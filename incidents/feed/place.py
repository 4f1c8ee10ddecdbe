"""Where accounts happened: the point's boundary on that day, or the code's territory, or nothing but the nation."""

from __future__ import annotations

import numpy as np

from incidents.feed.items import Fault
from incidents.georeference import MISSING, POINT


def place(accounts, book):
    """Give accounts (list of Said) their territory and its precision. Returns ({n: fault}, {n: [flags]}) by ordinal."""
    faults, flags = {}, {}
    by_point = _by_point(accounts, book)
    for n, said in enumerate(accounts):
        found, rules = by_point.get(n), []
        if said.place is not None:
            territory, rule = book.place(said.place)
            if territory is None:
                faults[n] = Fault("place", "place_unknown", said.place)
                continue
            if rule:
                rules.append(rule)
                said.place_code = None if rule == "not_delimited" else 0  # 0: to be given an id
            found = _of_both(found, territory, book, rules)
        if said.longitude is not None:
            said.place_precision = POINT
            if n not in by_point:
                rules.append("point_nowhere")
        elif found is not None:
            said.place_precision = book.precision(found)
        else:
            said.place_precision = MISSING
            rules.append("place_missing")
        said.territory = found if found is not None else book.nation
        if rules:
            flags[n] = rules
    return faults, flags


def _of_both(by_point, by_code, book, rules):
    """The lower of the two where one lies in the other; else the point is believed."""
    if by_point is None or book.is_within(by_code, by_point):
        return by_code
    if not book.is_within(by_point, by_code):
        rules.append("place_mismatch")
    return by_point


def _by_point(accounts, book):
    """{ordinal: territory id} of those whose point lies in a boundary."""
    at = [n for n, said in enumerate(accounts) if said.longitude is not None]
    if not at:
        return {}
    x = np.array([accounts[n].longitude for n in at])
    y = np.array([accounts[n].latitude for n in at])
    found = book.boundaries.locate([accounts[n].day for n in at], x, y)
    return {n: territory for n, territory in zip(at, found.tolist(), strict=True) if territory}
