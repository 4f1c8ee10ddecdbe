"""Items that were read into the database: each decided by what is held of its event, all of a round in a few
statements.

An identifier that stands several times in a body is taken in order: its first item in the first round, and so on.
"""

from __future__ import annotations

import numpy as np

from incidents.feed import copied, decide, write
from incidents.feed.decide import CREATED, RECLASSIFIED, RETRACTED, UNCHANGED, UPDATED
from incidents.feed.said import reclassified
from incidents.feed.write import Kept
from incidents.models import STAGES, Factor, Fate


class Taking:
    """The items of one body that can be taken. `source`: id of the institution; `account`: of who sends."""

    def __init__(self, cursor, *, source, account, now, book):
        self.cursor, self.source, self.account, self.now, self.book = cursor, source, account, now, book
        self.touched = []

    def run(self, words):
        """Take words (list of Word), and say in each its verdict."""
        for round_ in _rounds(words):
            _Round(self, round_).run()
        days = {(day, category) for _, day, _, category in self.touched}
        write.mark(self.cursor, {(day.replace(day=1), category) for day, category in days}, self.now)
        write.tell(self.cursor, self.touched)

    def touch(self, incident_id, day, category, territory):
        self.touched.append((incident_id, day, territory, category))


class Word:
    """An item that can be taken: an account (`said`), a reclassification (`category`) or a retraction."""

    __slots__ = ("category", "external_id", "index", "reason", "said", "verdict", "version")

    def __init__(self, index, item, said=None, category=None):
        self.index, self.external_id, self.version = index, item.external_id, item.version
        self.reason, self.said, self.category = item.reason or "", said, category
        self.verdict = None


def _rounds(words):
    """Lists of words in which no identifier stands twice; the n-th word on an event is in the n-th."""
    if len({word.external_id for word in words}) == len(words):
        return [words]
    rounds, times = [], {}
    for word in words:
        n = times[word.external_id] = times.get(word.external_id, -1) + 1
        if n == len(rounds):
            rounds.append([])
        rounds[n].append(word)
    return rounds


class _Round:
    """Words on different events."""

    def __init__(self, taking, words):
        self.taking, self.cursor = taking, taking.cursor
        self.words = sorted(words, key=lambda word: word.external_id)
        self.keys, self.old = {}, {}
        self.new, self.kept, self.gone, self.renamed, self.set = [], [], [], [], []

    def run(self):
        claimed = self._claim()
        rest = [word for word in self.words if word.external_id not in claimed]
        if rest:
            self.keys = write.held(self.cursor, self.taking.source, [word.external_id for word in rest])
            self._read(rest)
            for word in rest:
                self._decide(word)
        self._write()

    def _claim(self):
        """Whoever claims a key is the first to speak of the event."""
        accounts = [(w.external_id, w.said.day, w.said.digest, w.version) for w in self.words if w.said is not None]
        claimed = write.claim(self.cursor, self.taking.source, accounts) if accounts else {}
        for word in self.words:
            if word.said is not None and (pk := claimed.get(word.external_id)) is not None:
                word.verdict = decide.Verdict(CREATED)
                self._add(pk, word)
        return claimed

    def _read(self, rest):
        """What is stored of the events that may change; which accounts were replaced already."""
        changing = [
            key
            for word in rest
            if (key := self.keys.get(word.external_id)) is not None
            and not key.is_retracted
            and (word.said is None or word.said.digest != key.digest)
        ]
        self.old = write.read(self.cursor, [(key.occurred_on, key.incident_id) for key in changing])
        self.before = write.said_before(self.cursor, [key.incident_id for key in changing])

    def _decide(self, word):
        key = self.keys.get(word.external_id)
        old = self.old.get(key.incident_id) if key else None
        if word.said is not None:
            was_said = (key.incident_id, word.said.digest) in self.before
            word.verdict = decide.account(word.version, word.said.digest, key, was_said)
        elif word.category is not None:
            word.verdict = decide.reclassification(word.version, word.category, key, old and old.category)
        else:
            word.verdict = decide.retraction(word.version, key)
        if key is not None:
            self._follow(word, key, old)

    def _follow(self, word, key, old):
        result, version = word.verdict.result, decide.later(word.version, key.version)
        if result == CREATED:
            self._add(key.incident_id, word)
            self._set(key, word.said.day, word.said.digest, version)
        elif result == UPDATED:
            self._keep(key, old, Fate.CHANGED, _changes(key, old, word.said, self.taking.book), word.reason)
            self.gone.append((key.occurred_on, key.incident_id))
            self._add(key.incident_id, word)
            self._set(key, word.said.day, word.said.digest, version)
        elif result == RECLASSIFIED:
            self._keep(key, old, Fate.RECLASSIFIED, ["category"], word.reason)
            self.renamed.append((key.occurred_on, key.incident_id, word.category))
            self.taking.touch(key.incident_id, key.occurred_on, word.category, old.territory)
            self._set(key, key.occurred_on, reclassified(key.digest, old.category, word.category), version)
        elif result == RETRACTED:
            self._keep(key, old, Fate.RETRACTED, [], word.reason)
            self.gone.append((key.occurred_on, key.incident_id))
            self._set(key, key.occurred_on, key.digest, version, is_retracted=True)
        elif result == UNCHANGED and version != key.version:
            self._set(key, key.occurred_on, key.digest, version, key.is_retracted)

    def _add(self, incident_id, word):
        said = word.said
        self.new.append((incident_id, said))
        self.taking.touch(incident_id, said.day, said.category, said.territory)

    def _keep(self, key, old, fate, changes, reason):
        changes = ",".join(name[:40] for name in changes)
        self.kept.append(Kept(key.occurred_on, key.incident_id, key.digest, fate, changes, reason))
        self.taking.touch(key.incident_id, key.occurred_on, old.category, old.territory)

    def _set(self, key, day, digest, version, is_retracted=False):
        self.set.append((key.incident_id, day, digest, version, is_retracted))

    def _write(self):
        taking = self.taking
        write.keep(self.cursor, self.kept, account=taking.account, now=taking.now)
        write.take_away(self.cursor, self.gone)
        copied.add(self.cursor, taking.source, self.new)
        write.reclassify(self.cursor, self.renamed)
        write.set_keys(self.cursor, self.set)


CHOICES = ("channel", "alert_class", "service", "video")


def _changes(key, old, said, book):
    """Names of the facts in which two accounts differ."""
    pairs = [
        ("category", old.category, said.category),
        ("date", key.occurred_on, said.day),
        ("time", old.occurred_at and old.occurred_at.isoformat(), said.time),
        (
            "where",
            (old.territory, old.place_code, old.longitude, old.latitude),
            (said.territory, said.place_code, said.longitude, said.latitude),
        ),
        *zip(STAGES, old.stages, said.stages, strict=True),
        *zip(CHOICES, old.choices, said.choices, strict=True),
    ]
    found = [name for name, was, says in pairs if was != says]
    for is_number, was, says in ((False, old.codes, said.codes), (True, old.numbers, said.numbers)):
        for position in range(max(len(was), len(says))):
            if _at(was, position) != _at(says, position):
                found.append(book.fields.get((Factor.ENVIRONMENT, is_number, position), "environment"))
    for name in ("victims", "victimizers"):
        if not _same_people(getattr(old, name), getattr(said, name)):
            found.append(name)
    return found


def _same_people(was, says):
    return len(was) == len(says) and all(
        _trimmed(a[0]) == _trimmed(b[0]) and _trimmed(map(float, a[1])) == _trimmed(map(float, b[1]))
        for a, b in zip(was, says, strict=True)
    )


def _at(values, position):
    """A code or number as it compares: 0 and NaN are nothing, numbers as they are stored."""
    value = values[position] if position < len(values) else 0
    if isinstance(value, float):
        return None if value != value else float(np.float32(value))
    return value or None


def _trimmed(values):
    values = list(values)
    said = [_at(values, position) for position in range(len(values))]
    while said and said[-1] is None:
        said.pop()
    return said
