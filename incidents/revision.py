"""What a publication revised, in words that a person can check: every incident, as told before and now."""

from collections import Counter

import numpy as np

from incidents.accounts import CHOSEN, TABLES
from incidents.dictionary import ARRAYS
from incidents.layout import CHOICES, STAGES
from incidents.models import Category, Kind, PlaceCode
from incidents.store import NO_STAGE, NO_TIME
from indicators.models import Sensitivity

LISTED = 5000  # of each kind in the report; all of them stand in the past accounts
HIDDEN = "*"  # in place of what only some may see
LABELS = ("reclassified", "moved", "point", "located", "redated", "retimed", "corrected")


def of_rows(parsed):
    """The part of the report that tells of rows: how many were read, mended and refused, by rule."""
    refused = Counter(refusal.rule for refusal in parsed.refused)
    return {
        "rows": {
            "read": parsed.read,
            "taken": len(parsed),
            "refused": len(parsed.refused),
            "blank": parsed.blank,
            "repeated": parsed.repeated,
        },
        "mended": dict(sorted(parsed.mended.items())),
        "refused": dict(sorted(refused.items())),
    }


def bits(was, says, columns):
    """Which facts differ, row by row: bit i for fact i. was, says: (R, columns) whole numbers."""
    found = np.zeros(len(was), np.int64)
    for bit, part in enumerate(columns):
        found |= (was[:, part] != says[:, part]).any(axis=1).astype(np.int64) << bit
    return found


class _Words:
    """Accounts in words, with the names of the catalogue as they are now."""

    def __init__(self, taking):
        self.facts, self.dictionary, self.book = taking.facts, taking.dictionary, taking.book
        self.categories = dict(Category.objects.values_list("pk", "code"))
        self.territories = dict(zip(self.book.ids.tolist(), self.book.codes, strict=True))
        self.place_codes = dict(PlaceCode.objects.values_list("pk", "code"))

    def place(self, accounts, row):
        """The code of the place as the source gave it."""
        given = self.place_codes.get(int(accounts.place_code[row]))
        return given or self.territories.get(int(accounts.territory[row]), "")

    def point(self, accounts, row):
        longitude, latitude = accounts.longitude[row], accounts.latitude[row]
        return None if np.isnan(longitude) else [float(longitude), float(latitude)]

    def time(self, accounts, row):
        seconds = int(accounts.seconds[row])
        return "" if seconds == NO_TIME else f"{seconds // 3600:02}:{seconds // 60 % 60:02}"

    def row(self, accounts, row):
        """What is told of an incident that was added or removed: nothing of the person."""
        return {
            "category": self.categories[int(accounts.category[row])],
            "date": str(accounts.days[row]),
            "time": self.time(accounts, row),
            "place": self.place(accounts, row),
            "point": self.point(accounts, row),
        }

    def fact(self, name, accounts, row):
        if name == "category":
            return self.categories[int(accounts.category[row])]
        if name == "date":
            return str(accounts.days[row])
        if name == "time":
            return self.time(accounts, row)
        if name == "where":
            territory = self.territories.get(int(accounts.territory[row]), "")
            return {"place": self.place(accounts, row), "territory": territory, "point": self.point(accounts, row)}
        if name in STAGES:
            at = int(accounts.stages[row, STAGES.index(name)])
            return None if at == NO_STAGE else f"{np.datetime64(at, 'us')}Z"
        if name in CHOICES:
            chosen = int(accounts.choices[row, CHOICES.index(name)])
            return CHOSEN[name](chosen).name.lower() if chosen else ""
        return self.variable(name, accounts, row)

    def variable(self, name, accounts, row):
        variable = self.dictionary.variables[name]
        if variable.sensitivity == Sensitivity.RESERVED:
            return HIDDEN
        value = getattr(accounts, TABLES[ARRAYS.index((variable.factor, variable.kind))])[row, variable.position]
        if variable.kind == Kind.NUMBER:
            return None if np.isnan(value) else float(value)
        return self.dictionary.name(name, value)


def describe(taking, added, old, now_says):
    """Every revision of months that were covered before: the added, removed and changed, and how many of each label."""
    words, match = _Words(taking), taking.match
    # Of months that nothing was known of, all is new and nothing is revised.
    known_months = np.unique(taking.old.days.astype("datetime64[M]"))
    is_late = np.isin(added.days.astype("datetime64[M]"), known_months)
    removed = taking.old.take(match.removed)
    rows = taking.parsed.rows
    changed = [_changed(words, taking, old, now_says, at, int(rows[match.changed_new[at]])) for at in range(len(old))]
    return {
        "labels": dict(Counter(change["label"] for change in changed)),
        "counts": {"added": int(is_late.sum()), "removed": len(removed), "changed": len(changed)},
        "changed": changed[:LISTED],
        "added": [
            {"id": int(added.ids[at]), "row": int(rows[match.added[at]]), **words.row(added, at)}
            for at in np.flatnonzero(is_late)[:LISTED]
        ],
        "removed": [{"id": int(removed.ids[at]), **words.row(removed, at)} for at in range(min(len(removed), LISTED))],
    }


def _changed(words, taking, old, now_says, at, row):
    match = taking.match
    was, says = taking.was[match.changed_old[at]], taking.says[match.changed_new[at]]
    names = [
        name
        for name, part in zip(taking.facts.names, taking.facts.columns, strict=True)
        if (was[part] != says[part]).any()
    ]
    facts = {name: [words.fact(name, old, at), words.fact(name, now_says, at)] for name in names}
    return {"id": int(old.ids[at]), "row": row, "label": _label(facts), "facts": facts}


def _label(facts):
    """The one word for a change: the weightiest of what changed."""
    if "category" in facts:
        return "reclassified"
    if "where" in facts:
        was, says = facts["where"]
        if was["place"] != says["place"]:
            return "moved"
        return "point" if was["point"] != says["point"] else "located"
    if "date" in facts:
        return "redated"
    return "retimed" if "time" in facts else "corrected"
