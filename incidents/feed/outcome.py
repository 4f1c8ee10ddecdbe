"""What became of the items of a body: results, faults and flags, in the order in which they came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from incidents.feed import rules
from incidents.feed.decide import CREATED, RECLASSIFIED, REFUSED, RETRACTED, UNCHANGED, UPDATED

RESULTS = (CREATED, UPDATED, UNCHANGED, RECLASSIFIED, RETRACTED, REFUSED)
SILENT = (UNCHANGED, REFUSED)  # results of items that changed nothing
OTHER = "other_institution"
ERRORS = 50  # of one item that are told
LISTED = 1_000  # items of a body up to which each is listed; of a larger one those refused and flagged


@dataclass
class Outcome:
    """results: of every item; faults and flags: by its ordinal. `cut`: the item in which the body breaks off."""

    external_ids: list
    results: list
    faults: dict = field(default_factory=dict)
    flags: dict = field(default_factory=dict)
    cut: int | None = None
    is_dry_run: bool = False

    def __len__(self):
        return len(self.results)

    @property
    def counts(self):
        """{result: how many}, with 0 for those that did not occur."""
        found = Counter(self.results)
        return {result: found[result] for result in RESULTS}

    @property
    def metered(self):
        """What operators are told: results of items, and `flag_` with the flags of those that changed something."""
        flags = Counter(
            f"flag_{flag}" for n, said in self.flags.items() if self.results[n] not in SILENT for flag in said
        )
        return self.counts | flags

    @property
    def rules(self):
        """How often each rule refused or flagged an item."""
        found = Counter(fault.rule for faults in self.faults.values() for fault in faults)
        return found + Counter(flag for flags in self.flags.values() for flag in flags)

    @property
    def stranger(self):
        """The institution that the first item names, where every item names another than the account's; or ''."""
        if not self.results or len(self.faults) < len(self):
            return ""
        is_strange = all(faults[0].rule == OTHER for faults in self.faults.values())
        return self.faults[0][0].value if is_strange else ""

    def items(self, first=0):
        """What is said of single items; `first`: the ordinal of the first in the whole body."""
        numbers = range(len(self)) if len(self) <= LISTED else sorted({*self.faults, *self.flags})
        return [self._item(n, first) for n in numbers]

    def _item(self, n, first):
        said = {"index": first + n, "external_id": self.external_ids[n], "result": self.results[n]}
        if n in self.faults:
            said["errors"] = [described(fault) for fault in self.faults[n][:ERRORS]]
        if n in self.flags:
            said["flags"] = self.flags[n]
        return said

    def body(self):
        """The answer to a request."""
        answer = {**self.counts, "items": self.items()}
        if self.is_dry_run:
            answer["dry_run"] = True
        if self.cut is not None:
            answer["cut"] = cut(self.cut)
        return answer


def described(fault):
    """A fault as an answer tells it: the field, the rule's name, its words and what stood there."""
    words = str(rules.REFUSED[fault.rule])
    message = f"{words} ({fault.value})" if fault.value else words
    return {"field": fault.field, "rule": fault.rule, "message": message}


def cut(at):
    return {"item": at, "rule": "body_cut", "message": str(rules.BODY["body_cut"]) % {"at": at}}


def encode(body):
    return msgspec.json.encode(body)
