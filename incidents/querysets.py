"""Reads of incidents that chain: who may see which."""

from django.db import connection, models

from units.models import Unit
from units.permissions import Permission

# All that lies in these territories, themselves included.
BELOW = """
WITH RECURSIVE held AS (
    SELECT id FROM units_territory WHERE id = ANY(%s)
    UNION
    SELECT t.id FROM units_territory t JOIN held ON t.parent_id = held.id
)
SELECT id FROM held
"""
# The same of the territories that a question names; and how many there are in all.
WITHIN = BELOW.replace("= ANY(%s)", "IN ({tops})").replace(
    "SELECT id FROM held", "SELECT array_agg(id), (SELECT count(*) FROM units_territory) FROM held"
)


def within(tops):
    """Ids of the territories in a queryset of one column, and of all that lies in them; None for all. One query.

    Asked beforehand, and not within the question about incidents: of ids that it knows the database can tell how many
    incidents they hold, and so whether to walk through the days until a page is full or to collect a few places.
    """
    sql, parameters = tops.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(WITHIN.format(tops=sql), parameters)
        ids, every = cursor.fetchone()
    return None if len(ids or ()) == every else ids or []


class IncidentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Incidents in a place that is covered by a unit, of any institution, in which the person may analyse.

        Two queries.
        """
        if user.is_superuser:
            return self
        if not user.is_active:
            return self.none()
        units = Unit.objects.visible_to(user, Permission.ANALYSE).filter(territory__isnull=False)
        return self.placed_in(within(units.values("territory_id")))

    def placed_in(self, ids):
        """Incidents in the territories that `within` found."""
        return self.filter(territory__isnull=False) if ids is None else self.filter(territory_id__in=ids)
