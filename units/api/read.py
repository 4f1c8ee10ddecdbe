"""Who and where, for other systems: institutions, units and territories. Known by their codes."""

import django_filters
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from units.access import institutions_seen
from units.api.fields import WordField, code_of
from units.api.filters import CodeFilter, Codes, Filters, WordFilter
from units.api.views import ReadSet
from units.models import Institution, Level, Territory, Unit


class InstitutionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Institution
        fields = ["code", "short_name", "name", "name_en", "is_state"]


class InstitutionFilter(Filters):
    class Meta:
        model = Institution
        fields = ["is_state"]


class Institutions(ReadSet):
    """Institutions of which the account sees any unit."""

    queryset = Institution.objects.none()
    serializer_class = InstitutionSerializer
    filterset_class = InstitutionFilter

    def seen_by(self, user):
        return institutions_seen(user)


class UnitSerializer(serializers.ModelSerializer):
    institution = code_of("institution")
    parent = code_of("parent", allow_null=True)
    territory = code_of("territory", allow_null=True)

    class Meta:
        model = Unit
        fields = ["code", "name", "name_en", "institution", "parent", "territory"]


class UnitFilter(Codes):
    parent = CodeFilter(field_name="parent__code", label=_("Code of the unit above."))
    below = django_filters.CharFilter(method="only_below", label=_("A unit's code: it and all below it today."))
    territory = CodeFilter(field_name="territory__code", label=_("Code of the territory covered."))
    level = WordFilter(Level, field_name="territory__level", or_number=True, label=_("Level of the territory covered."))

    class Meta:
        model = Unit
        fields = ["institution", "parent", "below", "territory", "level"]

    def only_below(self, queryset, name, value):
        top = Unit.objects.filter(code=value).first()
        return queryset.none() if top is None else queryset.below(top)


class Units(ReadSet):
    """Units as they stand today in the tree."""

    queryset = Unit.objects.none()
    serializer_class = UnitSerializer
    filterset_class = UnitFilter

    def seen_by(self, user):
        return Unit.objects.visible_to(user).select_related("institution", "parent", "territory")


class TerritorySerializer(serializers.ModelSerializer):
    parent = code_of("parent", allow_null=True)
    level = WordField(Level)
    population = serializers.SerializerMethodField()

    class Meta:
        model = Territory
        fields = ["code", "name", "name_en", "level", "parent", "is_delimited", "latitude", "longitude", "population"]

    def get_population(self, territory) -> dict[str, int]:
        return {str(one.year): one.people for one in territory.populations.all()}


class TerritoryFilter(Filters):
    parent = CodeFilter(field_name="parent__code", label=_("Code of the territory around it."))
    level = WordFilter(Level, label=_("Level."))

    class Meta:
        model = Territory
        fields = ["parent", "level", "is_delimited"]


class Territories(ReadSet):
    """Areas with their population by year. They are no secret: who sees any unit sees them all."""

    queryset = Territory.objects.none()
    serializer_class = TerritorySerializer
    filterset_class = TerritoryFilter

    def seen_by(self, user):
        seen = Territory.objects.visible_to(user)
        return seen.select_related("parent").prefetch_related("populations")
