"""Which incidents are asked for: by period, place, kind, source, and what the dictionary's variables say of them."""

from __future__ import annotations

import math

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.dictionary import subtree
from incidents.layout import plain
from incidents.models import (
    AlertClass,
    Category,
    Channel,
    Factor,
    Incident,
    Kind,
    Service,
    Variable,
    VariableCode,
    Victim,
    Victimizer,
    Video,
)
from incidents.queries import own_institutions
from incidents.querysets import within
from indicators.models import Sensitivity
from units.api.errors import Problem
from units.api.filters import CodeFilter, Filters, MonthFilter, WordFilter
from units.models import Territory

MANY = 20  # conditions on variables in one request
NOT_STATED = ("0", "not_stated")
PERSONS = {Factor.VICTIM: Victim, Factor.VICTIMIZER: Victimizer}


class IncidentFilter(Filters):
    """And every variable of the dictionary by its field: `victim.sex=MUJER`, `victim.age=0..17`."""

    from_day = django_filters.DateFilter(
        field_name="occurred_on", lookup_expr="gte", label=gettext_lazy("From this day on.")
    )
    to_day = django_filters.DateFilter(
        field_name="occurred_on", lookup_expr="lte", label=gettext_lazy("Up to this day, included.")
    )
    month = MonthFilter(method="in_month", label=gettext_lazy("Month, as 2023-10."))
    territory = django_filters.CharFilter(
        method="in_territory", label=gettext_lazy("A territory's code: it and all that lies in it.")
    )
    category = django_filters.CharFilter(
        method="of_category", label=gettext_lazy("A category's code: it and all below it.")
    )
    institution = CodeFilter(
        field_name="source__code", label=gettext_lazy("Code of the institution that sent it, or several.")
    )
    channel = WordFilter(Channel, label=gettext_lazy("Channel."))
    alert_class = WordFilter(AlertClass, label=gettext_lazy("Alert class."))
    service = WordFilter(Service, label=gettext_lazy("Service."))
    video = WordFilter(Video, label=gettext_lazy("Video support."))

    class Meta:
        model = Incident
        fields = []

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        asked = {name: value for name, value in self.data.items() if "." in name}
        return _by_variables(queryset, asked, self.request.user) if asked else queryset

    def in_month(self, queryset, name, value):
        if value is None:
            return queryset
        following = value.replace(year=value.year + value.month // 12, month=value.month % 12 + 1)
        return queryset.filter(occurred_on__gte=value, occurred_on__lt=following)

    def in_territory(self, queryset, name, value):
        return queryset.placed_in(within(Territory.objects.filter(code=value).values("pk")))

    def of_category(self, queryset, name, value):
        top = Category.objects.filter(code=value).values_list("pk", flat=True).first()
        return queryset.none() if top is None else queryset.filter(category_id__in=subtree(top))


def _by_variables(queryset, asked, user):
    """All conditions of one kind of person hold of one and the same person."""
    if len(asked) > MANY:
        raise _refused("", _("At most %(n)s conditions on variables.") % {"n": MANY})
    variables = {f"{one.factor}.{one.key}": one for one in Variable.objects.exclude(kind=Kind.COLUMN)}
    persons, is_reserved = {}, False
    for field, written in asked.items():
        if field not in variables:
            raise _refused(field, _("There is no such variable in the dictionary."))
        variable = variables[field]
        is_reserved |= variable.sensitivity == Sensitivity.RESERVED
        condition = _condition(field, variable, written)
        if variable.factor == Factor.ENVIRONMENT:
            queryset = queryset.filter(condition)
        else:
            persons[variable.factor] = persons.get(variable.factor, Q()) & condition
    for factor, condition in persons.items():
        held = PERSONS[factor].objects.filter(occurred_on=OuterRef("occurred_on"), incident_id=OuterRef("id"))
        queryset = queryset.filter(Exists(held.filter(condition)))
    own = own_institutions(user) if is_reserved else None
    return queryset if own is None else queryset.filter(source_id__in=own)  # what is reserved is not asked of others


def _condition(field, variable, written):
    if variable.kind == Kind.NUMBER:
        low, high = _bounds(field, written)
        return Q(**{f"numbers__{variable.position}__range": (low, high)})  # not stated is NaN, which no range holds
    codes = _codes(field, variable, [part.strip() for part in written.split(",")][:200])
    said = Q(**{f"codes__{variable.position}__in": codes})
    return said | Q(**{f"codes__{variable.position}__isnull": True}) if 0 in codes else said


def _bounds(field, written):
    """`18` or `18..30`; either end may be left out."""
    first, dots, last = written.partition("..")
    try:
        low = float(first) if first.strip() else -1e300
        high = (float(last) if last.strip() else 1e300) if dots else low
    except ValueError:
        low = math.nan
    if not (written.strip() and math.isfinite(low) and math.isfinite(high)):
        raise _refused(field, _("A number, or two with two points between: 18..30."))
    return low, high


def _codes(field, variable, words):
    """Codes of values as files or people write them; 0 for what is not stated."""
    known = {}
    for code, label, name, name_en in VariableCode.objects.filter(variable=variable).values_list(
        "code", "label", "name", "name_en"
    ):
        for text in (name_en, name, label, str(code)):
            known[plain(text)] = code
    found = [0 if word in NOT_STATED else known.get(plain(word)) for word in words]
    if None in found:
        word = words[found.index(None)][:60]
        raise _refused(field, _("The variable has no such value.") + f" ({word})")
    return found


def _refused(field, message):
    detail = f"{field}: {message}" if field else message
    return Problem("invalid_parameter", detail, errors=[{"field": field, "message": str(message)}])
