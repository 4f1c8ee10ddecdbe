"""Plans, for other systems: what an institution promises for a year, its objectives in a tree and their lines."""

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers

from scorecard.models import Objective, Plan, PlanLine
from units.api.fields import code_of
from units.api.filters import Codes
from units.api.views import ReadSet


class PlanLineSerializer(serializers.ModelSerializer):
    """An indicator under an objective, with its weight there."""

    indicator = code_of("indicator")
    institution = serializers.CharField(source="indicator.institution.code", read_only=True)

    class Meta:
        model = PlanLine
        fields = ["indicator", "institution", "weight", "no_target_because", "no_baseline_because"]


class ObjectiveSerializer(serializers.ModelSerializer):
    """`parent` is the id of the objective above; weights are shares among siblings."""

    perspective = serializers.CharField(source="perspective.name", read_only=True, default=None, allow_null=True)
    lines = PlanLineSerializer(many=True, read_only=True)

    class Meta:
        model = Objective
        fields = ["id", "parent", "perspective", "verb", "what", "what_en", "means", "means_en", "weight", "lines"]


class PlanSerializer(serializers.ModelSerializer):
    institution = code_of("institution")
    objectives = ObjectiveSerializer(many=True, read_only=True)

    class Meta:
        model = Plan
        fields = ["id", "institution", "year", "version", "status", "approved_at", "objectives"]


class PlanFilter(Codes):
    class Meta:
        model = Plan
        fields = ["institution", "year", "status"]


_ID = OpenApiParameter("id", int, OpenApiParameter.PATH)


@extend_schema_view(retrieve=extend_schema(parameters=[_ID]))
class Plans(ReadSet):
    """Plans of the institutions of which the account sees any unit."""

    queryset = Plan.objects.none()
    serializer_class = PlanSerializer
    filterset_class = PlanFilter
    lookup_field = "pk"
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9]{1,9}"
    order = ("institution__code", "year")

    def seen_by(self, user):
        lines = PlanLine.objects.select_related("indicator__institution")
        objectives = Objective.objects.select_related("perspective").prefetch_related(Prefetch("lines", lines))
        seen = Plan.objects.visible_to(user).select_related("institution")
        return seen.prefetch_related(Prefetch("objectives", objectives))
