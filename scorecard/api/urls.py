"""Addresses of the API, /api/v1/: what other systems read and send. Each app brings its own views."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from incidents.api import catalogue, ingest
from incidents.api import read as incidents
from indicators.api import read as indicators
from indicators.api import send
from scorecard.api.cards import Scorecards
from scorecard.api.docs import docs
from scorecard.api.missing import missing
from scorecard.api.plans import Plans
from units.api import plain
from units.api import read as units

router = SimpleRouter(trailing_slash=False)
router.register("institutions", units.Institutions, "api-institution")
router.register("units", units.Units, "api-unit")
router.register("territories", units.Territories, "api-territory")
router.register("categories", catalogue.Categories, "api-category")
router.register("variables", catalogue.Variables, "api-variable")
router.register("indicators", indicators.Indicators, "api-indicator")
router.register("targets", indicators.Targets, "api-target")
router.register("plans", Plans, "api-plan")
router.register("scorecards", Scorecards, "api-scorecard")

# Feeds stand before the lists: POST and GET of one address are told apart by their view.
feeds = [
    path(
        "incidents",
        plain.by_method(GET=incidents.Incidents.as_view({"get": "list"}), POST=ingest.incidents),
        name="api-incident-list",
    ),
    path("incidents/<int:id>", incidents.Incidents.as_view({"get": "retrieve"}), name="api-incident-detail"),
    path(
        "incidents/<str:source>/<path:external_id>",
        incidents.Incidents.as_view({"get": "by_key"}),
        name="api-incident-by-key",
    ),
    path(
        "measurements",
        plain.by_method(GET=indicators.Measurements.as_view({"get": "list"}), POST=send.measurements),
        name="api-measurement-list",
    ),
    path("jobs/<uuid:pk>", ingest.job, name="api-job"),
]

urlpatterns = [
    *feeds,
    *router.urls,
    path("docs", docs, name="api-docs"),
    path("schema", SpectacularAPIView.as_view(http_method_names=["get", "head"]), name="api-schema"),
    re_path(".*", missing, name="api-missing"),
]
