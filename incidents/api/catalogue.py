"""What an event may say: the categories, and the dictionary of variables with their values."""

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers

from incidents.models import Category, Kind, Variable, VariableCode
from units.api.fields import code_of
from units.api.filters import CodeFilter, Filters
from units.api.views import ListSet, ReadSet


class CategorySerializer(serializers.ModelSerializer):
    parent = code_of("parent", allow_null=True)

    class Meta:
        model = Category
        fields = ["code", "name", "name_en", "parent", "iccs"]


class CategoryFilter(Filters):
    parent = CodeFilter(field_name="parent__code", label=_("Code of the category above."))

    class Meta:
        model = Category
        fields = ["parent"]


@extend_schema_view(retrieve=extend_schema(parameters=[OpenApiParameter("code", str, OpenApiParameter.PATH)]))
class Categories(ReadSet):
    """Categories of events, in a tree, with the class of the UN's ICCS."""

    queryset = Category.objects.none()
    serializer_class = CategorySerializer
    filterset_class = CategoryFilter

    def seen_by(self, user):
        return Category.objects.visible_to(user).select_related("parent")


class ValueSerializer(serializers.ModelSerializer):
    """A value of a variable: an event says its `label`, a name, or its code."""

    class Meta:
        model = VariableCode
        fields = ["code", "label", "name", "name_en", "is_retired"]


class VariableSerializer(serializers.ModelSerializer):
    """A variable by its factor and key. `codes`: the values of a category, none of a number."""

    codes = ValueSerializer(many=True, read_only=True)

    class Meta:
        model = Variable
        fields = ["factor", "key", "kind", "name", "name_en", "sensitivity", "is_retired", "codes"]


class VariableFilter(Filters):
    class Meta:
        model = Variable
        fields = ["factor", "kind", "is_retired"]


class Variables(ListSet):
    """What may be said of victims, victimizers and surroundings by `victims`, `victimizers` and `variables`."""

    queryset = Variable.objects.none()
    serializer_class = VariableSerializer
    filterset_class = VariableFilter
    order = ("factor", "key")

    def seen_by(self, user):
        codes = Prefetch("codes", VariableCode.objects.order_by("code"))
        return Variable.objects.visible_to(user).exclude(kind=Kind.COLUMN).prefetch_related(codes)
