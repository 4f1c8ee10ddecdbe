"""Reads that chain: what a person may see, what lies below, what stood in a month."""

from django.db import models
from django.db.models import Exists, F, Q


class UnitQuerySet(models.QuerySet):
    def visible_to(self, user, permission=None):
        """Units in which the person holds a role with this permission (seeing, where none is named). One query."""
        from units.permissions import Permission, granted_units

        if user.is_superuser:
            return self
        return self.filter(path__overlap=granted_units(user, permission or Permission.VIEW))

    def below(self, unit):
        """The unit and all below it today."""
        return self.filter(path__contains=[unit.pk])

    def in_month(self, month):
        """Units that stood in the tree in this month."""
        return self.filter(Q(periods__to_month__gt=month) | Q(periods__to_month=None), periods__from_month__lte=month)

    def covering(self, territory, institution):
        return self.filter(territory=territory, institution=institution)

    def in_tree_order(self):
        return self.order_by(F("path"))


class OpenQuerySet(models.QuerySet):
    """Of what is no secret among those who work here: territories, categories, the dictionary."""

    def visible_to(self, user):
        """Who holds any role anywhere sees them all."""
        from units.models import UnitUserObjectPermission

        held = UnitUserObjectPermission.objects.filter(user_id=user.pk)
        return self if user.is_superuser else self.filter(Exists(held))


class TerritoryQuerySet(OpenQuerySet):
    def with_boundary(self, on):
        """Territories that have a boundary on this date, with `geometry` and `is_schematic`."""
        holds = Q(boundaries__valid_from__lte=on) & (Q(boundaries__valid_to=None) | Q(boundaries__valid_to__gt=on))
        return self.filter(holds).annotate(
            geometry=F("boundaries__geometry"), is_schematic=F("boundaries__is_schematic")
        )
