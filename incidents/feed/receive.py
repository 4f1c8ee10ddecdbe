"""A body of items into the database: one transaction, and an answer for every item."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from incidents import store
from incidents.feed import book as books
from incidents.feed import decode, one, write
from incidents.feed.decide import CREATED, REFUSED, Verdict
from incidents.feed.items import Broken, Fault
from incidents.feed.outcome import Outcome
from incidents.feed.place import place
from incidents.feed.said import Reader, of_texts
from incidents.feed.take import Taking, Word
from indicators.stale import ask_for_drain

ACCOUNT = "upsert"  # the action of an item that gives an account; the others speak of an event that is known
REPEATS = 100  # of one identifier in one body
# Rules that a newer catalogue may lift: before they refuse, it is asked whether there is one.
OF_CATALOGUES = {"unknown_category", "unknown_variable", "unknown_code", "place_unknown"}


class _DryRun(Exception):  # noqa: N818 - it is no error: it takes the transaction back
    pass


def receive(*, account, institution, now, body=None, kind=decode.JSON, items=None, dry_run=False):
    """Take a body (bytes, of a kind of decode.KINDS), or `items` that are Python values. Returns Outcome.

    Items that break a rule are refused by themselves, those of another institution among them. Raises BodyError where
    nothing can be read.
    """
    with _uncollected():
        learnt = books.current().learnt(institution.pk)
        decoded = decode.converted(items) if body is None else decode.decode(body, kind, learnt=learnt)
    return take(account=account, institution=institution, now=now, decoded=decoded, dry_run=dry_run)


@contextlib.contextmanager
def _uncollected():
    """Thousands of small lists, none in a cycle: the collector would go through them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def take(*, account, institution, now, decoded, dry_run=False):
    """Take items that were decoded already. Returns Outcome."""
    with _uncollected():
        return _take(account, institution, now, decoded, dry_run)


def _take(account, institution, now, decoded, dry_run):
    book = books.current()
    outcome, words = _read(decoded, institution, now, book)
    if _is_unknown(outcome):
        newer = books.current(max_age=0)
        if newer is not book:
            book = newer
            outcome, words = _read(decoded, institution, now, book)
    outcome.is_dry_run = dry_run
    if words:
        _take_in(words, outcome, account, institution, now, book, dry_run)
    return outcome


def _is_unknown(outcome):
    return any(fault.rule in OF_CATALOGUES for faults in outcome.faults.values() for fault in faults)


def _take_in(words, outcome, account, institution, now, book, dry_run):
    if not dry_run and _is_taken_alone(words, institution, now):
        ask_for_drain()
        outcome.results[words[0].index] = CREATED
        return
    try:
        with transaction.atomic(savepoint=dry_run):
            _write(words, account, institution, now, book)
            if dry_run:
                raise _DryRun
            transaction.on_commit(ask_for_drain)
    except _DryRun:
        pass
    for word in words:
        outcome.results[word.index] = word.verdict.result
        if word.verdict.result == REFUSED:
            outcome.faults[word.index] = [Fault("external_id", word.verdict.rule)]
        elif word.verdict.rule:
            outcome.flags.setdefault(word.index, []).append(word.verdict.rule)


def _is_taken_alone(words, institution, now):
    """Take a single new event in a transaction that is its one statement: nothing to begin, nothing to commit."""
    if len(words) > 1 or words[0].said is None or words[0].said.place_code == 0 or connection.in_atomic_block:
        return False
    return _is_new(words[0], institution, now)


def _write(words, account, institution, now, book):
    with connection.cursor() as cursor:
        _name_places(cursor, words, book)
        if len(words) == 1 and _is_new(words[0], institution, now):
            return
        store.lock_out_publications(cursor, institution.pk)
        Taking(cursor, source=institution.pk, account=account.pk, now=now, book=book).run(words)


def _is_new(word, institution, now):
    """Take a single account of an event that nobody spoke of."""
    if word.said is None or one.add(source=institution.pk, said=word.said, now=now) is None:
        return False
    word.verdict = Verdict(CREATED)
    return True


def _name_places(cursor, words, book):
    """Ids of codes that are no territory's own, new ones among them."""
    named = [word.said for word in words if word.said is not None and word.said.place_code == 0]
    ids = {code: pk for code, (pk, _) in book.place_codes.items()} if named else {}
    new = {said.place: book.place(said.place)[0] for said in named if said.place not in ids}
    ids |= write.name_places(cursor, sorted(new.items()))
    for said in named:
        said.place_code = ids[said.place]


def _read(decoded, institution, now, book):
    """(Outcome so far, words): what can be taken, and what is wrong with the rest."""
    items = decoded.items
    outcome = Outcome([item.external_id for item in items], [REFUSED] * len(items), cut=decoded.cut)
    reader = Reader(book, now, ZoneInfo(settings.TIME_ZONE), settings.COUNTRY_BOX)
    own = [n for n, item in enumerate(items) if _is_own(n, item, institution, outcome)]
    accounts = reader.read([items[n] for n in own if items[n].action == ACCOUNT])
    words, too_often = [], _repeated_too_often([(n, items[n].external_id) for n in own])
    for n in own:
        item = items[n]
        word, faults, flags = _account(n, item, *next(accounts)) if item.action == ACCOUNT else _word(n, item, reader)
        if n in too_often:
            faults = [*faults, Fault("external_id", "repeated_too_often")]
        if flags:
            outcome.flags[n] = flags
        if faults:
            outcome.faults[n] = faults
        else:
            words.append(word)
    return outcome, _placed(words, outcome, book)


def _is_own(n, item, institution, outcome):
    """Whether an item can be read and is of the institution that sends it; if not, the outcome says so."""
    if isinstance(item, Broken):
        outcome.faults[n] = item.faults
    elif item.source is not None and item.source != institution.code:
        outcome.faults[n] = [Fault("source", "other_institution", item.source)]
    return n not in outcome.faults


def _repeated_too_often(named):
    """The ordinals at which an identifier stands once more than REPEATS, of (ordinal, identifier) in order."""
    most = Counter(external_id for _, external_id in named).most_common(1)
    if not most or most[0][1] <= REPEATS:
        return ()
    found, times = set(), Counter()
    for n, external_id in named:
        times[external_id] += 1
        if times[external_id] > REPEATS:
            found.add(n)
    return found


def _account(n, item, said, faults, flags):
    return Word(n, item, said=said), faults, flags


def _word(n, item, reader):
    """A word on an event: its reclassification or its retraction."""
    faults = of_texts(item)
    if not (item.reason and item.reason.strip()):
        faults.append(Fault("reason", "reason_missing"))
    category = reader.category(item.category, faults) if item.action == "reclassify" else None
    return Word(n, item, category=category), faults, []


def _placed(words, outcome, book):
    """The words whose place is known, or known to be missing."""
    accounts = [word for word in words if word.said is not None]
    faults, flags = place([word.said for word in accounts], book)
    for n, fault in faults.items():
        outcome.faults[accounts[n].index] = [fault]
    for n, rules in flags.items():
        outcome.flags.setdefault(accounts[n].index, []).extend(rules)
    return [word for word in words if word.index not in outcome.faults] if faults else words
