"""A small country with a feed, made by a process of its own on the database that the environment names.

Prints one JSON object: what the tests of the whole need to know of it.
"""

import json
import os
import sys
from datetime import timedelta


def make():
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0, interactive=False)

    from incidents import counting, dictionary
    from incidents.models import Category, EventRule, Measure
    from indicators.months import add_months
    from scorecard.refresh import refresh
    from tests.factories import SINCE, small_country
    from units import permissions, tokens
    from units.models import User
    from units.permissions import Role

    now = timezone.now()
    country = small_country(months=2, last=timezone.localtime(now).date().replace(day=1), cards=False)
    dictionary.ensure()
    police = country.institutions["PN"]
    EventRule.objects.create(
        indicator=country.indicators["PN.HOMICIDES"], measure=Measure.EVENTS, from_month=SINCE,
        category=Category.objects.get(code="HOMICIDE"),
    )  # fmt: skip
    counting.recount(by=None, start=country.months[0], end=add_months(country.month, 1), now=now)
    refresh(now=now)
    account = User.objects.create(username="feed", password="!", institution=police)
    permissions.grant(user=account, role=Role.INTEGRATOR, unit=country.units["PN-EC"])
    _, token = tokens.issue(by=None, account=account, name="test", expires_at=now + timedelta(days=1), now=now)
    store = SessionStore()
    analyst = country.people[Role.ANALYST]
    permissions.grant(user=analyst, role=Role.ANALYST, unit=country.units["PN-EC"])
    store[SESSION_KEY] = str(analyst.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = analyst.get_session_auth_hash()
    store.create()
    return {
        "token": token,
        "session": store.session_key,
        "month": country.months[0].isoformat(),
        "running": country.month.isoformat(),
        "zone": settings.TIME_ZONE,
        "police": police.pk,
        "places": [unit.territory.code for unit in country.reporting if unit.code != "PN-Z0"],
        "indicator": country.indicators["PN.HOMICIDES"].pk,
    }


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "scorecard.settings"
    import django

    django.setup()
    sys.stdout.write(json.dumps(make()))
