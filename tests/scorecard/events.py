"""Events for tests of the live board, written as a feed would have left them."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from incidents.models import Category, Service


def categories():
    """A kind with two below it, and another."""
    robbery = Category.objects.create(code="T.ROBBERY", name="Robo", name_en="Robbery")
    persons = Category.objects.create(code="T.ROBBERY.PERSON", name="A personas", name_en="Of persons", parent=robbery)
    fire = Category.objects.create(code="T.FIRE", name="Incendio", name_en="Fire")
    return {one.code: one for one in (robbery, persons, fire)}


def happened(country, category, place, at, *, count=1, point=None, answered=None):
    """Events at an instant (the country's local time is what is kept); their ids."""
    local = timezone.localtime(at)
    x, y = point or (None, None)
    row = [
        local.date(), local.time().replace(microsecond=0), 4, country.institutions["PN"].pk, category.pk,
        place and country.territories[place].pk, 1 if point else 3, x, y, at, at + answered if answered else None,
        Service.SECURITY,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incidents_incident (occurred_on, occurred_at, time_precision, source_id, category_id, "
            "territory_id, place_precision, longitude, latitude, received_at, answered_at, service) "
            "SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM generate_series(1, %s) RETURNING id",
            [*row, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def weeks_before(country, category, place, at, *, count, weeks=12):
    """So many events at the same time of each of the weeks before, and one long before, so that all weeks are known."""
    for n in range(1, weeks + 1):
        happened(country, category, place, at - timedelta(weeks=n), count=count)
    happened(country, category, place, at - timedelta(weeks=weeks, days=3))
