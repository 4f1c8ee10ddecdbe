"""GET /api/v1/incidents: events in the places that the account analyses, page after page, and one with its past."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from incidents.api import shapes
from incidents.api.filters import IncidentFilter
from incidents.api.table import CSVRenderer, people_of, table
from incidents.life import by_key, life_of
from incidents.models import Incident
from incidents.queries import described
from units.api.views import ListSet

_FORMAT = OpenApiParameter("format", str, enum=["json", "csv"], description="The Accept header says the same.")
_PEOPLE = OpenApiParameter("people", int, description="In CSV: persons of each kind that have columns, 1 unless asked.")
_VARIABLE = OpenApiParameter(
    "variable",
    {"type": "object", "additionalProperties": {"type": "string"}},
    style="form",
    explode=True,
    description=(
        "Any variable of the dictionary by its field, such as `victim.sex=MUJER,HOMBRE`, `victim.age=0..17` or"
        " `environment.weapon=not_stated`. All that is asked of victims holds of one and the same victim."
    ),
)


@extend_schema_view(list=extend_schema(parameters=[_FORMAT, _PEOPLE, _VARIABLE]))
class Incidents(ListSet):
    """Events in the territories of the units in which the account may analyse, by day and id.

    A page as CSV says where the next one begins in the header Link.
    """

    queryset = Incident.objects.none()
    serializer_class = shapes.IncidentShape
    filterset_class = IncidentFilter
    renderer_classes = [JSONRenderer, CSVRenderer]
    order = ("occurred_on", "id")

    def get_renderers(self):
        renderers = super().get_renderers()
        return renderers if getattr(self, "action", None) == "list" else renderers[:1]  # an event is no table

    def seen_by(self, user):
        return Incident.objects.visible_to(user).select_related("source", "category", "territory")

    def list(self, request):
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        people = people_of(request)
        told = described(page, request.user)
        answer = self.get_paginated_response(told)
        if request.accepted_renderer.format == CSVRenderer.format:
            following = answer.data["next"]
            headers = {"Link": f'<{following}>; rel="next"'} if following else {}
            return Response(table(told, request.user, people), headers=headers)
        return answer

    @extend_schema(
        parameters=[OpenApiParameter("id", int, OpenApiParameter.PATH)], responses=shapes.IncidentLife, filters=False
    )
    def retrieve(self, request, id):
        """An event by our id, with what was said of it before."""
        return _answer(id, request.user)

    @extend_schema(
        operation_id="incidents_by_key_retrieve",
        parameters=[
            OpenApiParameter("source", str, OpenApiParameter.PATH, description="Code of the institution."),
            OpenApiParameter("external_id", str, OpenApiParameter.PATH, description="The source's own identifier."),
        ],
        responses=shapes.IncidentLife,
        filters=False,
    )
    def by_key(self, request, source, external_id):
        """An event by its source and the source's own identifier, with what was said of it before."""
        return _answer(by_key(source, external_id), request.user)


def _answer(incident_id, user):
    said = None if incident_id is None or not 0 <= incident_id < 2**63 else life_of(incident_id, user)
    if said is None:
        raise Http404
    return Response(said)
