"""Two years of homicides by event, thick in one zone, the figures counted from them and their cards."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from incidents.counting import recount
from incidents.dictionary import ensure
from incidents.models import Category, EventRule, Measure
from indicators.models import Target
from scorecard.refresh import refresh
from tests.factories import NOW, small_country
from tests.scorecard.events import happened
from units.models import UnitUserObjectPermission
from units.permissions import Role, bulk_grants

HERE = ZoneInfo("America/Guayaquil")


def counted_country(months=22, more=1):
    """Homicides by event, `more` times as many in zone 1; figures counted from them, cards of all months."""
    country = small_country(cards=False, months=months, missing=0)
    ensure()
    held = [(country.people["minister"], Role.ANALYST, country.unit("EST-EC"))]
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(held))
    kinds = {one.code: one for one in Category.objects.filter(code__startswith="HOMICIDE")}
    EventRule.objects.create(
        indicator=country.indicators["PN.HOMICIDES"],
        measure=Measure.EVENTS,
        category=Category.objects.get(code="HOMICIDE"),
        from_month=country.months[0],
    )
    _happen(country, sorted(kinds.values(), key=lambda one: one.code), more)
    end = country.months[-1].replace(day=28)
    recount(by=None, start=country.months[0], end=end.replace(month=end.month + 1, day=1), now=NOW)
    Target.objects.filter(indicator=country.indicators["PN.HOMICIDES"]).update(value=3.0)
    refresh(now=NOW)
    return country


def _happen(country, kinds, more):
    rng = np.random.default_rng(3)
    places = [code for code in sorted(country.territories) if len(code) == 8]
    for month in country.months:
        for place in places:
            count = rng.poisson(4) + (3 * more if place.startswith("01") and month.year == 2023 else 0)
            for n in range(count):
                at = datetime(month.year, month.month, 1 + n % 28, int(rng.integers(0, 24)), 15, tzinfo=HERE)
                happened(country, kinds[n % len(kinds)], place, at)
