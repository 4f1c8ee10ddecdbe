"""Reads that chain over indicators and their sheets."""

from django.db import models
from django.db.models import Exists, OuterRef, Q


class SheetQuerySet(models.QuerySet):
    def in_month(self, month):
        """The version of each sheet that holds in the month."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=month), valid_from__lte=month)

    def overlapping(self, start, end):
        """Versions that hold in some month of [start, end)."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=start), valid_from__lt=end)


class IndicatorQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Indicators of the institutions in which the person holds any role that may see."""
        from units.models import Unit

        seen = Unit.objects.visible_to(user).filter(institution=OuterRef("institution"))
        return self.filter(Exists(seen))


class FigureQuerySet(models.QuerySet):
    """Rows of unit x indicator x month: figures and targets."""

    def visible_to(self, user):
        """Of the units that the person sees."""
        from units.models import Unit

        return self if user.is_superuser else self.filter(unit__in=Unit.objects.visible_to(user))
