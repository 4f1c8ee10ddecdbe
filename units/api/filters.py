"""Filters that several lists share: by codes of institutions and units, by month."""

import re
from datetime import date

import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema_field

from units.models import Unit

MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def first_of(written):
    """The first day of a month written as 2023-10, None where it is no month."""
    found = MONTH.fullmatch(written)
    if not found or not 1900 <= int(found[1]) <= 2199:
        return None
    return date(int(found[1]), int(found[2]), 1)


class MonthField(forms.CharField):
    """A month written as 2023-10, as its first day."""

    def clean(self, value):
        written = super().clean(value)
        if not written:
            return None
        month = first_of(written)
        if month is None:
            raise forms.ValidationError(_("This is not a month: write it like 2023-05."))
        return month


@extend_schema_field(str)
class MonthFilter(django_filters.Filter):
    field_class = MonthField


class CodeFilter(django_filters.CharFilter):
    """One code, or several with commas between."""

    def filter(self, qs, value):
        if not value:
            return qs
        return qs.filter(**{f"{self.field_name}__in": [code.strip() for code in value.split(",")][:200]})


class BelowFilter(django_filters.CharFilter):
    """A unit's code: the unit and all below it today."""

    def filter(self, qs, value):
        if not value:
            return qs
        top = Unit.objects.filter(code=value).first()
        return qs.none() if top is None else qs.filter(**{f"{self.field_name}__path__contains": [top.pk]})


class Codes(FilterSet):
    """Of rows that belong to an institution."""

    institution = CodeFilter(field_name="institution__code", label=_("Code of the institution, or several."))
