"""Scorecards, for other systems: a row a unit and month, the whole card of a unit, and the units below it."""

from django.http import HttpResponseNotModified
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response

from scorecard import as_data
from scorecard.api import shapes
from scorecard.models import Card
from scorecard.queries import cards_of, unit_here
from scorecard.reading import OVERALL, Reading
from units.api.errors import Problem, of_parameter
from units.api.filters import BelowFilter, CodeFilter, Filters, MonthFilter, first_of
from units.api.views import ListSet

_CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="Code of the unit.")
_MONTH = OpenApiParameter("month", str, description="As 2023-10; the unit's latest where nothing is said.")
_BY = OpenApiParameter("by", str, description="Code of an indicator of the plan; the overall score otherwise.")


class CardFilter(Filters):
    month = MonthFilter(label=_("Month, as 2023-10."))
    from_month = MonthFilter(field_name="month", lookup_expr="gte", label=_("From this month on."))
    to_month = MonthFilter(field_name="month", lookup_expr="lte", label=_("Up to this month, included."))
    unit = CodeFilter(field_name="unit__code", label=_("Code of the unit, or several."))
    below = BelowFilter(field_name="unit", label=_("A unit's code: it and all below it today."))
    institution = CodeFilter(field_name="unit__institution__code", label=_("Code of the institution, or several."))

    class Meta:
        model = Card
        fields = ["is_provisional", "has_red"]


class Scorecards(ListSet):
    """Scorecards of the units that the account sees, by month and unit."""

    queryset = Card.objects.none()
    serializer_class = shapes.Summary
    filterset_class = CardFilter
    order = ("month", "unit_id")
    lookup_field = "code"
    lookup_value_regex = "[^/]+"

    def seen_by(self, user):
        seen = Card.objects.visible_to(user).select_related("unit")
        shown = ("light", "has_red", "is_provisional", "score", "coverage", "approved_score", "unit__code")
        return seen.only("month", *shown)

    @extend_schema(parameters=[_CODE, _MONTH], responses=shapes.CardShape, filters=False)
    def retrieve(self, request, code):
        """A unit's card of a month, its lines by the indicator's code."""
        return _answer(request, _read(request, code), as_data.card_alone)

    @extend_schema(parameters=[_CODE, _MONTH, _BY], responses=shapes.Children, filters=False)
    @action(detail=True, pagination_class=None)
    def children(self, request, code):
        """The units below in the tree of that month, worst first."""
        return _answer(request, _read(request, code), as_data.children_data)


def _read(request, code):
    asked = request.query_params.get("month", "")
    month = first_of(asked) if asked else None
    if asked and month is None:
        raise of_parameter("month", _("This is not a month: write it like 2023-05."))
    by = request.query_params.get("by", OVERALL)
    here = unit_here(request.user, code, month, "" if by == OVERALL else by[:40])
    month = month or here.latest
    reading = None if month is None else Reading(here, cards_of(here.unit, month, here.position), by)
    if reading is None or reading.own is None:
        raise Problem("no_results", _("There are no results of the unit for this month."), status=404)
    if by not in (OVERALL, reading.by):
        raise Problem("unknown_indicator", _("The unit's plan has no line of this indicator."))
    return reading


def _answer(request, reading, make):
    """The card as data, with an ETag of the cards themselves: what has not changed is not made again."""
    etag = f'"{reading.cards.version}-{reading.by}-{get_language()}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    return Response(make(reading), headers={"ETag": etag})
