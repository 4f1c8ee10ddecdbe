"""Filters that several lists share: by codes of institutions and units, by month."""

import re
from datetime import date

import django_filters
from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet
from drf_spectacular.drainage import set_override

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


class MonthFilter(django_filters.CharFilter):
    field_class = MonthField


class WordFilter(django_filters.ChoiceFilter):
    """A choice that is a number in the database, by its small-letter name. `or_number`: by the number as well."""

    def __init__(self, kinds, *, or_number=False, **options):
        self.values = {kind.name.lower(): kind.value for kind in kinds}
        self.values |= {str(kind.value): kind.value for kind in kinds if or_number}
        super().__init__(choices=[(word, word) for word in self.values], **options)
        set_override(self, "field", {"type": "string", "enum": sorted(self.values), "description": options["label"]})

    def filter(self, qs, value):
        return qs.filter(**{self.field_name: self.values[value]}) if value else qs


class YesNoField(forms.Field):
    """true or false, or 1 or 0; what is neither is no filter that could be left out without a word."""

    def clean(self, value):
        if value is None or value == "":
            return None
        found = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
        if found is None:
            raise forms.ValidationError(_("true or false."))
        return found


class YesNoFilter(django_filters.BooleanFilter):
    field_class = YesNoField

    def __init__(self, **options):
        super().__init__(**{"widget": forms.TextInput} | options)


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


class Filters(FilterSet):
    """Filters of a list. Those of a model's booleans take no third word."""

    FILTER_DEFAULTS = FilterSet.FILTER_DEFAULTS | {models.BooleanField: {"filter_class": YesNoFilter}}


class Codes(Filters):
    """Of rows that belong to an institution."""

    institution = CodeFilter(field_name="institution__code", label=_("Code of the institution, or several."))
