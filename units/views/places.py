"""Pages of territories: they come in from files; here they are read."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from units.models import Level, Territory, Unit
from units.permissions import Permission, can_anywhere
from units.tables import Cell, Column, Table, respond_with
from units.views.frame import manage_frame

PAGE = 100


def territories(request):
    """Territories by level, or what a search finds."""
    _must_manage(request)
    query, level = request.GET.get("q", "").strip(), request.GET.get("level", "")
    found = Territory.objects.select_related("parent").annotate(parts=Count("children")).order_by("level", "code")
    if query:
        found = found.filter(Q(code__icontains=query) | Q(name__icontains=query) | Q(name_en__icontains=query))
    if level in {str(value) for value in Level.values}:
        found = found.filter(level=level)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    notes = [(_("Search"), query)] if query else []
    table = _list(_("Territories"), found if request.GET.get("format") else page, notes)
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **manage_frame(request, "territories"),
        "q": query,
        "level": level,
        "levels": [(str(value), label) for value, label in Level.choices],
        "table": table.offered_at(request),
        "page": page,
        "query": rest.urlencode(),
    }
    return render(request, "units/territories.html", context)


def _must_manage(request):
    if not can_anywhere(request.user, Permission.MANAGE_UNITS):
        raise PermissionDenied(_("Your role does not allow this."))


def _list(title, found, notes):
    columns = [
        Column("name", _("Territory")),
        Column("code", _("Code")),
        Column("level", _("Level")),
        Column("parent", _("Part of")),
        Column("parts", _("Parts"), "number", 0),
    ]
    rows = [
        [
            Cell(one.local_name, reverse("manage-territory", args=[one.code])),
            one.code,
            one.get_level_display(),
            f"{one.parent.code} {one.parent.local_name}" if one.parent else "",
            one.parts,
        ]
        for one in found
    ]
    return Table(title, columns, rows, notes, id="territories", name="territories")


def territory(request, code):
    """A territory: its people by year, its parts, its boundary, the units that cover it."""
    _must_manage(request)
    one = Territory.objects.filter(code=code).select_related("parent").first()
    if one is None:
        raise Http404(_("There is no territory %(code)s.") % {"code": code})
    population = _population(one)
    if (file := respond_with(population, request)) is not None:
        return file
    today = timezone.localdate()
    here = Territory.objects.with_boundary(today).filter(pk=one.pk).first()
    context = {
        **manage_frame(request, "territories", f"{one.code} {one.local_name}"),
        "territory": one,
        "beside": "" if one.is_delimited else _("Not delimited: it has no boundary of its own."),
        "population": population.offered_at(request),
        "parts": one.children.order_by("code")[:PAGE],
        "units": Unit.objects.visible_to(request.user, Permission.MANAGE_UNITS).filter(territory=one).order_by("code"),
        "boundaries": one.boundaries.order_by("-valid_from"),
        "drawing": _drawing(one, here, today),
    }
    return render(request, "units/territory.html", context)


def _population(one):
    columns = [
        Column("year", _("Year"), "text"),
        Column("people", _("People"), "number", 0),
        Column("source", _("Source")),
    ]
    rows = [[str(row.year), row.people, row.source] for row in one.populations.order_by("-year")]
    empty = _("No population is known. Bring it in with import_population.")
    notes = [(_("Territory"), f"{one.code} {one.local_name}")]
    return Table(_("Population"), columns, rows, notes, id="population", name=f"population-{one.code}", empty=empty)


def _drawing(one, here, today):
    """The boundary in front of its siblings', as SVG paths: (view box, path, paths around), None without a boundary."""
    if here is None:
        return None
    from django.conf import settings

    around = Territory.objects.with_boundary(today).filter(parent=one.parent).exclude(pk=one.pk)
    shapes = {other.code: other.geometry for other in around} if one.parent else {}
    drawn = import_string(settings.DRAW_BOUNDARIES)({one.code: here.geometry, **shapes}, width=320)
    path = drawn.paths.pop(one.code)
    return {
        "view_box": drawn.view_box,
        "path": path,
        "around": "".join(drawn.paths.values()),
        "is_schematic": here.is_schematic,
    }
