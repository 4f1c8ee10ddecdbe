"""What an operator reads of feeds: the accounts that send and the connectors that fetch, each with its last day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from incidents.connect.models import Connector, DeadLetter, LetterState
from incidents.feed.decide import CREATED, RECLASSIFIED, REFUSED, RETRACTED, UNCHANGED, UPDATED
from units.api.metering import read_minutes
from units.models import Institution, User

DAY = 24 * 60  # minutes
TAKEN = (CREATED, UPDATED, RECLASSIFIED, RETRACTED)
NO_POINT = ("flag_point_zero", "flag_point_outside")  # as they are metered: points that were taken as missing
LATE = 3  # turns that a connector may miss before it is late
STATES = ("failing", "late", "silent", "new", "paused", "ok")


@dataclass
class Feed:
    """A service account that sends, or a connector that fetches. `lag`: since it was last read, or last sent."""

    name: str
    institution: Institution
    account_id: int
    connector: Connector | None
    last_event: datetime | None
    last_contact: datetime | None
    state: str
    lag: timedelta | None
    waiting: int = 0
    counts: Counter = field(default_factory=Counter)

    @property
    def is_troubled(self):
        """Whether somebody should look: it fails, or is late."""
        return self.state in ("failing", "late")

    @property
    def username(self):
        return f"connector.{self.name}" if self.connector else self.name

    @property
    def taken(self):
        return sum(self.counts[result] for result in TAKEN)

    @property
    def refused(self):
        return self.counts[REFUSED]

    @property
    def without_point(self):
        return without_point(self.counts)


def without_point(counts):
    """Of what was taken, how many items gave a point that is none: (0, 0), or one outside the country."""
    return sum(counts[flag] for flag in NO_POINT)


def state_words(state):
    return {
        "failing": _("failing"),
        "late": _("late"),
        "silent": _("silent for a day"),
        "new": _("nothing came yet"),
        "paused": _("paused"),
        "ok": _("up to date"),
    }[state]


def ago(lag):
    """A span in words, of its largest unit."""
    if lag is None:
        return ""
    if lag < timedelta(minutes=1):
        return _("less than a minute")
    end = datetime(2024, 1, 31)  # noqa: DTZ001 - a span has no zone
    return timesince(end - lag, end, depth=1)


def feeds_of(institutions, *, now):
    """Feeds of these institutions, by institution and name: list of Feed. Three queries, one round trip to Valkey."""
    last_day = _last_day(now)
    waiting = dict(
        DeadLetter.objects.filter(institution__in=institutions, state=LetterState.WAITING)
        .values_list("account_id")
        .annotate(n=Count("pk"))
    )
    connectors = Connector.objects.filter(institution__in=institutions).select_related("institution").defer("secret")
    accounts = (
        User.objects.filter(institution__in=institutions, connector=None, is_active=True)
        .select_related("institution")
        .annotate(last_used=Max("tokens__last_used_at"))
    )
    found = [_fetched(connector, now) for connector in connectors]
    found += [_sent(account, last_day.get(account.pk), now) for account in accounts]
    for feed in found:
        feed.waiting = waiting.get(feed.account_id, 0)
        feed.counts = last_day.get(feed.account_id, (Counter(), None))[0]
    return sorted(found, key=lambda feed: (feed.institution.code, feed.name))


def day_of(account_id, *, now):
    """Counts of an account's last 24 hours (Counter); empty without Valkey."""
    return _last_day(now).get(account_id, (Counter(), None))[0]


def _last_day(now):
    """{account id: (counts of the last 24 hours, the last minute in which something was taken)}; {} without Valkey."""
    found = {}
    try:
        minutes = read_minutes(now=now, minutes=DAY)
    except RedisError:
        return {}
    for minute in minutes:
        counts, last = found.get(minute.account_id, (Counter(), None))
        has_items = any(minute.counts[result] for result in (*TAKEN, UNCHANGED))
        found[minute.account_id] = (counts + minute.counts, minute.minute if has_items else last)
    return found


def state_of(connector, now):
    """failing, late, new, paused or ok."""
    if not connector.is_active:
        return "paused"
    if connector.failures:
        return "failing"
    since = connector.last_success_at or connector.created_at
    if now - since > timedelta(seconds=LATE * connector.every_seconds + 60):
        return "late"
    return "ok" if connector.last_success_at else "new"


def _fetched(connector, now):
    lag = now - (connector.last_success_at or connector.created_at)
    return Feed(
        connector.name, connector.institution, connector.account_id, connector, connector.last_event_at,
        connector.last_success_at, state_of(connector, now), lag,
    )  # fmt: skip


def _sent(account, last_day, now):
    minute = last_day[1] if last_day else None
    last = max(filter(None, (minute, account.last_used)), default=None)
    lag = None if last is None else max(now - last, timedelta())
    state = "new" if last is None else "silent" if lag > timedelta(days=1) else "ok"
    return Feed(account.username, account.institution, account.pk, None, minute, last, state, lag)


def letters_of(institutions, *, state="", rule="", feed="", words=""):
    """Dead letters of these institutions as asked for, newest first: queryset."""
    found = DeadLetter.objects.filter(institution__in=institutions)
    asked = {"state": state, "rule": rule, "account__username": feed, "external_id__icontains": words}
    return found.filter(**{name: value for name, value in asked.items() if value})


def rules_waiting(institutions):
    """Rules that waiting letters broke, most frequent first: [(rule, letters)]."""
    found = DeadLetter.objects.filter(institution__in=institutions, state=LetterState.WAITING)
    return list(found.values_list("rule").annotate(n=Count("pk")).order_by("-n", "rule"))
