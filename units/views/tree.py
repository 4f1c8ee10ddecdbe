"""Pages of institutions and units: the tree, a unit, and its changes."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from units import actions
from units.access import institution_or_404, institutions_in, root_of
from units.forms.tree import (
    CloseUnitForm,
    InstitutionForm,
    NamesForm,
    NewInstitutionForm,
    OpenUnitForm,
    PlaceForm,
)
from units.models import Institution, Unit, UnitPeriod
from units.people import holders_in
from units.permissions import Permission, can_anywhere, unit_or_404, verbs_in
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

PAGE = 100
MANAGE = Permission.MANAGE_UNITS


def _managed(user):
    return Unit.objects.visible_to(user, MANAGE)


def _must_manage(user, permission=MANAGE):
    if not can_anywhere(user, permission):
        raise PermissionDenied(_("Your role does not allow this."))


def _tops(user):
    """Units that the person manages and whose parent the person does not: where the tree begins."""
    managed = _managed(user)
    return managed.exclude(parent__in=managed.values("pk")).order_by("code")


def units(request):
    """The tree that the person manages, a branch at a time, or what a search finds in it."""
    _must_manage(request.user)
    query, code = request.GET.get("q", "").strip(), request.GET.get("in", "")
    branch = unit_or_404(request.user, MANAGE, code) if code else None
    if query:
        shown = _managed(request.user).filter(
            Q(code__icontains=query) | Q(name__icontains=query) | Q(name_en__icontains=query)
        )
    elif branch:
        shown = branch.children.all()
    else:
        tops = _tops(request.user)
        branch = tops.first() if tops.count() == 1 else None
        shown = branch.children.all() if branch else tops
    page = Paginator(_described(shown), PAGE).get_page(request.GET.get("page"))
    table = _tree_table(request, _described(shown) if request.GET.get("format") else page, branch, query)
    if (file := respond_with(table, request)) is not None:
        return file
    context = {
        **manage_frame(request, "units"),
        "q": query,
        "branch": branch,
        "ancestors": _ancestors(request.user, branch) if branch else [],
        "table": table.offered_at(request),
        "page": page,
        "query": _query_without_page(request),
        "count": _managed(request.user).count(),
        "institutions": institutions_in(request.user, MANAGE).order_by("code"),
        "may_found": _may_found(request.user),
    }
    return render(request, "units/units.html", context)


def _query_without_page(request):
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()


def _described(units):
    """With what the list says of each: how many stand below it, and whether it is open."""
    still_open = UnitPeriod.objects.filter(unit=OuterRef("pk"), to_month=None)
    return (
        units.select_related("institution", "territory")
        .annotate(below=Count("children", distinct=True), is_open=Exists(still_open))
        .annotate(roles=Count("grants", distinct=True))
        .order_by("code")
    )


def _ancestors(user, unit):
    """Units from the top that the person manages down to the parent."""
    return list(_managed(user).filter(pk__in=unit.path[:-1]).order_by("path"))


def _tree_table(request, units, branch, query):
    columns = [
        Column("name", _("Unit")),
        Column("code", _("Code")),
        Column("institution", _("Institution"), narrow="hide"),
        Column("territory", _("Covers")),
        Column("below", _("Units below"), "number", 0),
        Column("roles", _("Roles given here"), "number", 0),
        Column("open", _("State")),
    ]
    rows = [
        [
            Cell(unit.local_name, f"{reverse('manage-units')}?in={unit.code}" if unit.below else unit_href(unit)),
            Cell(unit.code, unit_href(unit)),
            unit.institution.short_name,
            f"{unit.territory.code} {unit.territory.local_name}" if unit.territory else "",
            unit.below,
            unit.roles,
            _("open") if unit.is_open else _("closed"),
        ]
        for unit in units
    ]
    title = _("Units below %(unit)s") % {"unit": branch} if branch else _("Units")
    notes = [(_("Search"), query)] if query else []
    empty = _("Nothing is called so here.") if query else _("No unit stands below this one.")
    return Table(title, columns, rows, notes, id="units", name="units", empty=empty)


def unit_href(unit):
    return reverse("manage-unit", args=[unit.code])


def unit(request, code):
    """A unit: where it stood and stands, who holds a role there, and what can be done."""
    one = unit_or_404(request.user, MANAGE, code)
    current = one.periods.filter(to_month=None).first()
    context = {
        **_frame(request, one),
        "unit": one,
        "is_open": current is not None,
        "periods": one.periods.select_related("parent", "territory").order_by("from_month"),
        "children": _described(one.children.all())[:PAGE],
        "children_count": one.children.count(),
        "holders": holders_in(one),
        "may_people": Permission.MANAGE_PEOPLE in verbs_in(request.user, one),
        "is_root": one.parent is None or one.parent.institution_id != one.institution_id,
    }
    return render(request, "units/unit.html", context)


def _frame(request, one, *crumbs):
    trail = [(a.local_name, unit_href(a)) for a in _ancestors(request.user, one)]
    return manage_frame(request, "units", *trail, (one.local_name, unit_href(one)), *crumbs)


def open_unit(request):
    """A new unit below another."""
    _must_manage(request.user)
    parent = unit_or_404(request.user, MANAGE, request.GET["in"]) if request.GET.get("in") else None
    form = OpenUnitForm(
        request.POST or None,
        by=request.user,
        institution=parent.institution if parent else None,
        initial={"parent": parent},
    )
    form.order_fields(["parent", "code", "name", "name_en", "territory", "from_month"])
    form.fields["parent"].required = True

    def act(*, reason, now):
        given = form.cleaned_data
        body = given["parent"].institution
        return actions.open_unit(by=request.user, institution=body, **given, now=now, reason=reason)

    return change(
        request,
        form=form,
        act=act,
        done=lambda made: (_("%(unit)s is open.") % {"unit": made}, unit_href(made)),
        title=_("Open a unit"),
        frame=_frame(request, parent, _("Open a unit")) if parent else manage_frame(request, "units"),
        back=unit_href(parent) if parent else reverse("manage-units"),
    )


def rename_unit(request, code):
    """What a unit is called."""
    one = unit_or_404(request.user, MANAGE, code)
    former = str(one)
    form = NamesForm(request.POST or None, instance=Unit.objects.get(pk=one.pk))

    def act(*, reason, now):
        return actions.rename_unit(
            by=request.user, unit=Unit.objects.get(pk=one.pk), **form.cleaned_data, reason=reason
        )

    return _change_unit(request, one, form, act, _("Rename %(unit)s") % {"unit": former}, _("The unit is renamed."))


def move_unit(request, code):
    """Where a unit stands and what it covers, from a month on."""
    one = unit_or_404(request.user, MANAGE, code)
    form = _place_form(request, one)

    def act(*, reason, now):
        fresh = Unit.objects.select_related("institution").get(pk=one.pk)
        return actions.move_unit(by=request.user, unit=fresh, **form.cleaned_data, now=now, reason=reason)

    return _change_unit(
        request, one, form, act, _("Move %(unit)s") % {"unit": one}, _("The unit is moved."), wants_reason=True
    )


def reopen_unit(request, code):
    """A closed unit stands again from a month on."""
    one = unit_or_404(request.user, MANAGE, code)
    form = _place_form(request, one)

    def act(*, reason, now):
        fresh = Unit.objects.select_related("institution").get(pk=one.pk)
        return actions.reopen_unit(by=request.user, unit=fresh, **form.cleaned_data, now=now, reason=reason)

    title = _("Open %(unit)s again") % {"unit": one}
    return _change_unit(request, one, form, act, title, _("The unit is open again."), wants_reason=True)


def _place_form(request, one):
    return PlaceForm(
        request.POST or None,
        by=request.user,
        institution=one.institution,
        unit=one,
        initial={"parent": one.parent, "territory": one.territory},
    )


def close_unit(request, code):
    """The last of a unit."""
    one = unit_or_404(request.user, MANAGE, code)
    form = CloseUnitForm(request.POST or None)

    def act(*, reason, now):
        return actions.close_unit(by=request.user, unit=one, **form.cleaned_data, now=now, reason=reason)

    return _change_unit(
        request, one, form, act, _("Close %(unit)s") % {"unit": one}, _("The unit is closed."), wants_reason=True
    )


def _change_unit(request, one, form, act, title, message, *, wants_reason=False):
    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (message, unit_href(one)),
        title=title,
        frame=_frame(request, one, title),
        back=unit_href(one),
        wants_reason=wants_reason,
    )


# Institutions --------------------------------------------------------------------------------------------------------


def _may_found(user):
    """Institutions are founded by whoever manages the State's units."""
    return user.is_superuser or institutions_in(user, MANAGE).filter(is_state=True).exists()


def new_institution(request):
    """A new institution with the unit at its head."""
    _must_manage(request.user)
    if not _may_found(request.user):
        raise PermissionDenied(_("Institutions are opened by whoever manages the State's units."))
    form = NewInstitutionForm(request.POST or None, by=request.user)

    def act(*, reason, now):
        given = dict(form.cleaned_data)
        root = {
            "code": given.pop("root_code"),
            "name": given["name"],
            "name_en": given["name_en"],
            "territory": given.pop("territory"),
        }
        return actions.open_institution(by=request.user, root=root, **given, now=now, reason=reason)

    return change(
        request,
        form=form,
        act=act,
        done=lambda made: (_("%(name)s is open.") % {"name": made}, unit_href(root_of(made))),
        title=_("Open an institution"),
        frame=manage_frame(request, "units", _("Open an institution")),
        back=reverse("manage-units"),
    )


def rename_institution(request, code):
    """What an institution is called."""
    one = institution_or_404(request.user, MANAGE, code)
    form = InstitutionForm(request.POST or None, instance=Institution.objects.get(pk=one.pk))

    def act(*, reason, now):
        fresh = Institution.objects.get(pk=one.pk)
        return actions.rename_institution(by=request.user, institution=fresh, **form.cleaned_data, reason=reason)

    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (_("The institution is renamed."), reverse("manage-units")),
        title=_("Rename %(name)s") % {"name": one},
        frame=manage_frame(request, "units", str(one)),
        back=reverse("manage-units"),
    )
