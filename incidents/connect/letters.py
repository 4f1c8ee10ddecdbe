"""Dead letters: refused items kept where no person reads the answer, replayed once the cause is mended, or dismissed.

Only items of connectors and of jobs (202) are kept. Who posts and waits is told of each refused item in the answer, and
holds the item itself: a second copy here would be one more place where what should not be kept is kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import connection

from incidents import feed, feed_layouts
from incidents.connect.models import LARGEST_RAW, DeadLetter, LetterState
from incidents.feed.decide import REFUSED
from incidents.layout import load, names
from units.actions import recorded

KEEP = """
INSERT INTO incidents_deadletter (institution_id, account_id, connector_id, layout, received_at, times, digest, raw,
    is_cut, external_id, digest_then, rule, field, message, state, result)
SELECT %(institution)s, %(account)s, %(connector)s, %(layout)s, %(now)s, 1, t.digest, t.raw, t.is_cut, t.external_id,
    k.digest, t.rule, t.field, t.message, 'waiting', ''
FROM unnest(%(digest)s::bytea[], %(raw)s::bytea[], %(is_cut)s::bool[], %(external_id)s::text[], %(rule)s::text[],
    %(field)s::text[], %(message)s::text[]) AS t(digest, raw, is_cut, external_id, rule, field, message)
LEFT JOIN incidents_incidentkey k ON k.source_id = %(institution)s AND k.external_id = t.external_id
    AND t.external_id <> ''
ORDER BY t.digest
ON CONFLICT (account_id, digest) DO UPDATE SET times = incidents_deadletter.times + 1,
    received_at = excluded.received_at, rule = excluded.rule, field = excluded.field,
    message = excluded.message, digest_then = excluded.digest_then,
    raw = CASE WHEN incidents_deadletter.state = 'dismissed' THEN NULL ELSE excluded.raw END,
    state = CASE WHEN incidents_deadletter.state = 'dismissed' THEN 'dismissed' ELSE 'waiting' END
"""
COLUMNS = ("digest", "raw", "is_cut", "external_id", "rule", "field", "message")


def keep(*, account, institution, refused, now, connector=None, layout=""):
    """Keep refused items: (raw value or bytes of JSON, external id, first Fault). The same item again is counted.

    In the caller's transaction. One that was dismissed stays so. Returns how many were given.
    """
    rows = {}
    for raw, external_id, fault in refused:
        text = raw if isinstance(raw, bytes) else msgspec.json.encode(raw)
        is_cut = len(text) > LARGEST_RAW
        digest = hashlib.sha256(text).digest()
        rows[digest] = (
            digest, text[:LARGEST_RAW], is_cut, _plain(external_id, 80), fault.rule, _plain(fault.field, 100),
            _plain(fault.value, 300),
        )  # fmt: skip
    if rows:
        columns = dict(zip(COLUMNS, map(list, zip(*rows.values(), strict=True)), strict=True))
        about = {"institution": institution.pk, "account": account.pk, "connector": connector and connector.pk}
        with connection.cursor() as cursor:
            cursor.execute(KEEP, {**columns, **about, "layout": layout, "now": now})
    return len(rows)


def _plain(text, longest):
    return str(text or "").replace("\x00", "")[:longest]


# What a person does with them ----------------------------------------------------------------------------------------


def replay(*, by, letters, now, reason=""):
    """Send waiting letters (a queryset) through the feed again, in one transaction. Returns Counter of results.

    What is taken is settled; what is refused again waits on, with the rule of today; where the source has spoken of the
    event since, the letter is settled as overtaken and nothing changes.
    """
    told = Counter()
    with recorded(by=by, reason=reason):
        held = list(
            letters.filter(state=LetterState.WAITING)
            .select_related("account", "institution", "connector")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("received_at", "pk")
        )
        groups = defaultdict(list)
        for letter in _not_overtaken(held, told, by, now):
            groups[letter.account_id, letter.connector.layout if letter.connector_id else letter.layout].append(letter)
        for (_account, layout), group in groups.items():
            _replay_group(group, layout, told, by, now)
    return told


def _not_overtaken(held, told, by, now):
    """The letters that may be replayed; the rest are settled, or told of as cut."""
    keys = _digests_now(held)
    left = []
    for letter in held:
        if letter.is_cut:
            told["cut"] += 1
        elif letter.external_id and keys.get((letter.institution_id, letter.external_id)) != letter.digest_then:
            told[LetterState.OVERTAKEN.value] += 1
            _settle(letter, LetterState.OVERTAKEN, "", by, now)
        else:
            left.append(letter)
    return left


def _digests_now(letters):
    asked = {(letter.institution_id, letter.external_id) for letter in letters if letter.external_id}
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.source_id, k.external_id, k.digest FROM incidents_incidentkey k JOIN"
            " unnest(%s::int[], %s::text[]) AS t(source, id) ON k.source_id = t.source AND k.external_id = t.id",
            [[source for source, _id in asked], [external_id for _source, external_id in asked]],
        )
        return {(source, external_id): digest for source, external_id, digest in cursor.fetchall()}


def _replay_group(group, layout, told, by, now):
    first = group[0]
    items = as_items([msgspec.json.decode(bytes(letter.raw)) for letter in group], layout)
    outcome = feed.receive(account=first.account, institution=first.institution, now=now, items=items)
    for n, (letter, result) in enumerate(zip(group, outcome.results, strict=True)):
        told[result] += 1
        if result == REFUSED:
            _say_again(letter, outcome.faults[n][0])
        else:
            _settle(letter, LetterState.REPLAYED, result, by, now)


def _say_again(letter, fault):
    letter.rule, letter.field = fault.rule, _plain(fault.field, 100)
    letter.message, letter.result = _plain(fault.value, 300), REFUSED
    letter.save(update_fields=["rule", "field", "message", "result"])


def _settle(letter, state, result, by, now):
    letter.state, letter.result, letter.settled_at, letter.settled_by, letter.raw = state, result, now, by, None
    letter.save(update_fields=["state", "result", "settled_at", "settled_by", "raw"])


def dismiss(*, by, letters, now):
    """Waiting letters (a queryset) are given up and their items cleared. Returns how many."""
    with recorded(by=by):
        return letters.filter(state=LetterState.WAITING).update(
            state=LetterState.DISMISSED, settled_at=now, settled_by=by, raw=None
        )


def expire(*, now):
    """Delete the letters that are older than settings.LETTER_DAYS, whatever became of them. Returns how many."""
    return DeadLetter.objects.filter(received_at__lt=now - timedelta(days=settings.LETTER_DAYS)).delete()[0]


# Items ---------------------------------------------------------------------------------------------------------------


def as_items(rows, layout):
    """Rows of a source as items of the feed: as they are, or by its layout."""
    if not layout:
        return rows
    if layout not in names():
        raise LookupError(layout)
    return feed_layouts.to_items(rows, load(layout), zone=ZoneInfo(settings.TIME_ZONE))
