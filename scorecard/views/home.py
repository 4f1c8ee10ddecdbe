"""The first page after sign-in: that person's own work."""

from datetime import datetime, timedelta

from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from scorecard import home
from units.views.frame import Link, sections_of

VISIT = "visit"  # cookie: the visit before this one | this visit's last page
KEPT = 400 * 86400  # seconds
SAME_VISIT = timedelta(minutes=30)
NEW_TO_NEW_PERSON = timedelta(days=7)


@require_safe
def page(request):
    """What is due, how it stands and what changed, by the roles that the person holds."""
    now = timezone.now()
    since, seen, is_first = _visits(request, now)
    sections = home.sections(request.user, now=now, since=since)
    if not sections and request.user.is_superuser:  # without a unit of one's own, but with all to manage
        return redirect("manage")
    context = {
        "sections": sections,
        "since": since,
        "is_first_visit": is_first,
        "today": timezone.localtime(now).date(),
        "manage": [Link(key, href) for key, href in sections_of(request.user)] if sections else [],
        "ask": [] if sections else home.whom_to_ask(),
    }
    response = render(request, "home/home.html", context)
    options = {"max_age": KEPT, "samesite": "Lax", "httponly": True, "secure": request.is_secure()}
    response.set_signed_cookie(VISIT, seen, **options)
    return response


def _visits(request, now) -> tuple[datetime, str, bool]:
    """(the end of the visit before this one, what the cookie is to say now, whether there was none before)."""
    said = request.get_signed_cookie(VISIT, default="", max_age=KEPT)
    user, _bar, instants = said.partition("|")
    before, _bar, last = instants.partition("|")
    before, last = parse_datetime(before), parse_datetime(last)
    is_new = user != str(request.user.pk) or before is None or last is None
    if is_new:
        before = last = now - NEW_TO_NEW_PERSON
    elif now - last > SAME_VISIT:
        before = last
    seen = f"{request.user.pk}|{before.isoformat()}|{now.isoformat()}"
    return before, seen, is_new
