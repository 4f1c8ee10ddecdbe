"""What is promised and measured, for other systems: indicators with their sheets, targets, measurements."""

from django.db.models import Exists, OuterRef, Prefetch
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from indicators.models import (
    Denominator,
    Frequency,
    Indicator,
    LightBy,
    Measurement,
    MeasurementState,
    Rule,
    Sense,
    SheetVersion,
    Target,
)
from units.api.fields import MonthField, NumberField, WordField, code_of
from units.api.filters import BelowFilter, CodeFilter, Codes, Filters, MonthFilter, YesNoFilter
from units.api.views import ListSet, ReadSet


class SheetSerializer(serializers.ModelSerializer):
    """A sheet as it holds from one month up to, not including, another."""

    valid_from, valid_to = MonthField(), MonthField(allow_null=True)
    frequency = WordField(Frequency)
    denominator_kind = WordField(Denominator)
    sense = WordField(Sense)
    over_units, over_time = WordField(Rule), WordField(Rule)
    denominator_over_units, denominator_over_time = WordField(Rule), WordField(Rule)
    light_by = WordField(LightBy)

    class Meta:
        model = SheetVersion
        exclude = ["id", "indicator", "responsible", "approver"]


class IndicatorSerializer(serializers.ModelSerializer):
    institution = code_of("institution")
    sheets = SheetSerializer(many=True, read_only=True)

    class Meta:
        model = Indicator
        fields = ["code", "institution", "sheets"]


class IndicatorFilter(Codes):
    in_month = MonthFilter(method="in_force", label=_("Month in which a sheet holds, as 2023-10."))

    class Meta:
        model = Indicator
        fields = ["institution"]

    def in_force(self, queryset, name, value):
        if value is None:
            return queryset
        held = SheetVersion.objects.in_month(value).filter(indicator=OuterRef("pk"))
        return queryset.filter(Exists(held))


class Indicators(ReadSet):
    """Indicators with all versions of their sheets."""

    queryset = Indicator.objects.none()
    serializer_class = IndicatorSerializer
    filterset_class = IndicatorFilter

    def seen_by(self, user):
        versions = SheetVersion.objects.order_by("version")
        seen = Indicator.objects.visible_to(user).select_related("institution")
        return seen.prefetch_related(Prefetch("sheets", versions))


class FigureFilter(Filters):
    """Rows of unit x indicator x month."""

    month = MonthFilter(label=_("Month, as 2023-10."))
    from_month = MonthFilter(field_name="month", lookup_expr="gte", label=_("From this month on."))
    to_month = MonthFilter(field_name="month", lookup_expr="lte", label=_("Up to this month, included."))
    indicator = CodeFilter(field_name="indicator__code", label=_("Code of the indicator, or several."))
    institution = CodeFilter(field_name="indicator__institution__code", label=_("Code of the institution, or several."))
    unit = CodeFilter(field_name="unit__code", label=_("Code of the unit, or several."))
    below = BelowFilter(field_name="unit", label=_("A unit's code: it and all below it today."))


class MeasurementFilter(FigureFilter):
    provisional = YesNoFilter(field_name="is_provisional", label=_("Waits for approval."))

    class Meta:
        model = Measurement
        fields = []


class TargetFilter(FigureFilter):
    class Meta:
        model = Target
        fields = []


class MeasurementSerializer(serializers.Serializer):
    """A figure: what was said of an indicator of a unit for a month."""

    month = MonthField()
    indicator = code_of("indicator")
    unit = code_of("unit")
    numerator, denominator = NumberField(), NumberField()
    state = WordField(MeasurementState)
    is_provisional = serializers.BooleanField(read_only=True)
    source = serializers.CharField(read_only=True)
    recorded_at = serializers.DateTimeField(read_only=True)


class TargetSerializer(serializers.Serializer):
    """What was promised: a value, or a range from low to high; and the baseline."""

    month = MonthField()
    indicator = code_of("indicator")
    unit = code_of("unit")
    value, low, high, baseline = NumberField(), NumberField(), NumberField(), NumberField()
    recorded_at = serializers.DateTimeField(read_only=True)


class Targets(ListSet):
    """Targets of the units that the account sees, by month, indicator and unit."""

    order = ("month", "indicator_id", "unit_id")
    queryset = Target.objects.none()
    serializer_class = TargetSerializer
    filterset_class = TargetFilter

    def seen_by(self, user):
        return Target.objects.visible_to(user).select_related("indicator", "unit")


class Measurements(ListSet):
    """Measurements of the units that the account sees, by month, indicator and unit."""

    order = ("month", "indicator_id", "unit_id")
    queryset = Measurement.objects.none()
    serializer_class = MeasurementSerializer
    filterset_class = MeasurementFilter

    def seen_by(self, user):
        return Measurement.objects.visible_to(user).select_related("indicator", "unit")
