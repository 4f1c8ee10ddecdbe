"""What a live board reads: the events of the last hours in a territory, and those of the same hours of earlier weeks.

Every question is bounded by dates, so that it costs the same however long the history is. Times are the country's own,
without a zone, as incidents hold them. Events whose time of day is not known are not among them.
"""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.db.models.expressions import RawSQL

from incidents.models import Category, Incident
from incidents.querysets import BELOW

WEEKS = 12


def between(since: datetime, until: datetime) -> Q:
    """Events that happened from one local time up to, not including, another; at most two dates long."""
    if since.date() == until.date():
        return Q(occurred_on=since.date(), occurred_at__gte=since.time(), occurred_at__lt=until.time())
    first = Q(occurred_on=since.date(), occurred_at__gte=since.time())
    last = Q(occurred_on=until.date(), occurred_at__lt=until.time())
    whole = Q(occurred_on__gt=since.date(), occurred_on__lt=until.date(), occurred_at__isnull=False)
    return first | last | whole


def events_in(territory, since: datetime, until: datetime):
    """Events in the territory and all that lies in it."""
    return _within(territory).filter(
        between(since, until), occurred_on__gte=since.date(), occurred_on__lte=until.date()
    )


def _within(territory):
    if territory.parent_id is None:
        return Incident.objects.filter(territory__isnull=False)
    return Incident.objects.filter(territory_id__in=RawSQL(BELOW, [[territory.pk]]))  # noqa: S611 - an id of ours


def latest(events, count: int) -> list[Incident]:
    """The latest of them with their category, place and source, the newest first. One query."""
    return list(
        events.select_related("category", "territory", "source").order_by("-occurred_on", "-occurred_at", "-id")[:count]
    )


def counts(events) -> Counter:
    """How many by (category, territory). One query."""
    found = events.values("category_id", "territory_id").annotate(n=Count("id")).order_by()
    return Counter({(row["category_id"], row["territory_id"]): row["n"] for row in found})


def same_hours_before(territory, since: datetime, until: datetime) -> tuple[int, Counter]:
    """(how many of the 12 weeks before there are events of, how many by category in these hours of them all).

    Two queries. A territory whose events begin later is compared with the weeks that it has.
    """
    week = timedelta(weeks=1)
    start = since - WEEKS * week
    held = _within(territory).filter(occurred_on__gte=start.date(), occurred_on__lt=until.date())
    first = held.aggregate(first=Min("occurred_on"))["first"]
    if first is None:
        return 0, Counter()
    weeks = min(WEEKS, (since.date() - first).days // 7)
    windows = Q()
    for n in range(1, weeks + 1):
        windows |= between(since - n * week, until - n * week)
    if not weeks:
        return 0, Counter()
    found = held.filter(windows).values("category_id").annotate(n=Count("id")).order_by()
    return weeks, Counter({row["category_id"]: row["n"] for row in found})


def groups() -> tuple[dict[int, int], dict[int, Category]]:
    """The uppermost category of each category, and all categories by id. One query."""
    every = {one.pk: one for one in Category.objects.all()}
    tops = {}
    for pk, top in every.items():
        while top.parent_id is not None:
            top = every[top.parent_id]
        tops[pk] = top.pk
    return tops, every
