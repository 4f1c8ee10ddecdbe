"""Pages of the dictionary: variables, codes, categories. All who plan read it; the State's planners change it."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from incidents import catalogue
from incidents.catalogue_forms import (
    CategoryForm,
    ChangeCategoryForm,
    ChangeVariableForm,
    CodeForm,
    NamesForm,
    VariableForm,
)
from incidents.models import Category, Factor, Kind, Variable, VariableCode
from indicators.models import Sensitivity
from indicators.views.manage_sheets import must_plan
from units.access import institutions_in
from units.permissions import Permission
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

PAGE = 100


def may_change(user):
    """The dictionary is everybody's: whoever plans for the State changes it."""
    return user.is_superuser or institutions_in(user, Permission.MANAGE_PLANS).filter(is_state=True).exists()


def _must_change(request):
    must_plan(request.user)
    if not may_change(request.user):
        raise PermissionDenied(_("The dictionary is changed by whoever plans for the State."))


def _frame(request, *crumbs):
    return manage_frame(request, "variables", *crumbs)


def variables(request):
    """All that may be known of a victim, a victimizer or the surroundings."""
    must_plan(request.user)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "factor", "kind", "sensitivity")}
    found = Variable.objects.annotate(n=Count("codes")).order_by("factor", "kind", "position", "key")
    if q := asked["q"]:
        found = found.filter(Q(key__icontains=q) | Q(name__icontains=q) | Q(name_en__icontains=q))
    choices = {"factor": Factor, "kind": Kind, "sensitivity": Sensitivity}
    for name, options in choices.items():
        if asked[name] in options.values:
            found = found.filter(**{name: asked[name]})
    table = _variables_table(found)
    if (file := respond_with(table, request)) is not None:
        return file
    context = {
        **_frame(request),
        "asked": asked,
        "filters": [
            (name, label, choices[name].choices, asked[name])
            for name, label in (("factor", _("Factor")), ("kind", _("Kind")), ("sensitivity", _("Sensitivity")))
        ],
        "table": table.offered_at(request),
        "count": len(table.rows),
        "may_change": may_change(request.user),
    }
    return render(request, "incidents/manage/variables.html", context)


def _variables_table(found):
    columns = [
        Column("name", _("Variable")),
        Column("factor", _("Factor")),
        Column("key", _("Key")),
        Column("kind", _("Kind")),
        Column("sensitivity", _("Sensitivity")),
        Column("codes", _("Codes"), "number", 0),
        Column("state", _("State")),
    ]
    rows = [
        [
            Cell(one.local_name, reverse("manage-variable", args=[one.pk])),
            one.get_factor_display(),
            one.key,
            one.get_kind_display(),
            one.get_sensitivity_display(),
            one.n if one.kind == Kind.CATEGORY else None,
            _state(one),
        ]
        for one in found
    ]
    empty = _("No variable like this. Clear the search, or add the variable.")
    return Table(_("Variables"), columns, rows, id="variables", name="variables", empty=empty, is_caption_hidden=True)


def _state(one):
    return _("retired") if one.is_retired else _("in use")


def _variable_or_404(request, pk):
    must_plan(request.user)
    variable = Variable.objects.filter(pk=pk).first()
    if variable is None:
        raise Http404(_("There is no such variable."))
    return variable


def _code_or_404(request, pk, code):
    variable = _variable_or_404(request, pk)
    found = variable.codes.filter(code=code).first() if code <= catalogue.LAST_CODE else None
    if found is None:
        raise Http404(_("The variable has no code %(code)d.") % {"code": code})
    return variable, found


def variable(request, pk):
    """A variable and its catalogue of codes."""
    one = _variable_or_404(request, pk)
    q = request.GET.get("q", "").strip()
    codes = VariableCode.objects.filter(variable=one).order_by("code")
    if q:
        codes = codes.filter(Q(name__icontains=q) | Q(name_en__icontains=q) | Q(label__icontains=q))
    page = Paginator(codes, PAGE).get_page(request.GET.get("page"))
    is_open = may_change(request.user)
    table = _codes_table(one, codes if request.GET.get("format") else page, is_open)
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **_frame(request, one.local_name),
        "variable": one,
        "is_column": one.kind == Kind.COLUMN,
        "has_codes": one.kind == Kind.CATEGORY,
        "q": q,
        "page": page,
        "query": rest.urlencode(),
        "table": table.offered_at(request),
        "may_change": is_open,
    }
    return render(request, "incidents/manage/variable.html", context)


def _codes_table(one, codes, is_open):
    columns = [
        Column("code", _("Code"), "number", 0),
        Column("name", _("Name")),
        Column("name_en", _("Name in English")),
        Column("label", _("As written in files")),
        Column("state", _("State")),
    ]
    rows = []
    for code in codes:
        edit, retire = (
            (reverse(f"manage-variable-code{what}", args=[one.pk, code.code]) if is_open else "")
            for what in ("", "-retire")
        )
        rows.append([code.code, Cell(code.name, edit), code.name_en, code.label, Cell(_state(code), retire)])
    notes = [(_("Variable"), f"{one.factor}.{one.key}")]
    empty = _("No code yet. Files bring theirs; others are added here.")
    return Table(_("Codes"), columns, rows, notes, id="codes", name=f"codes-{one.factor}-{one.key}", empty=empty)


def _changed(request, *, form, act, message, back, title, crumbs, wants_reason=False):
    return change(
        request, form=form, act=act, done=lambda _made: (message, back), title=title,
        frame=_frame(request, *crumbs), back=back, wants_reason=wants_reason,
    )  # fmt: skip


def new_variable(request):
    """Something more may be known from now on, without a migration."""
    _must_change(request)
    form = VariableForm(request.POST or None)

    def act(*, reason, now):
        return catalogue.add_variable(by=request.user, **form.cleaned_data, reason=reason)

    return change(
        request, form=form, act=act,
        done=lambda made: (_("%(name)s may be stated now.") % {"name": made.local_name}, _href(made)),
        title=_("Add a variable"), frame=_frame(request, _("Add")), back=reverse("manage-variables"),
    )  # fmt: skip


def _href(variable):
    return reverse("manage-variable", args=[variable.pk])


def edit_variable(request, pk):
    """Names and sensitivity; who may read it changes with it, so a reason is asked."""
    _must_change(request)
    one = _variable_or_404(request, pk)
    form = ChangeVariableForm(request.POST or None, variable=one)

    def act(*, reason, now):
        return catalogue.change_variable(by=request.user, variable=one, **form.cleaned_data, reason=reason)

    title = _("Change %(name)s") % {"name": one.local_name}
    crumbs = [(one.local_name, _href(one)), _("Change")]
    return _changed(
        request, form=form, act=act, message=_("The variable is changed."), back=_href(one), title=title,
        crumbs=crumbs, wants_reason=True,
    )  # fmt: skip


def retire_variable(request, pk):
    """Offered no more, or again."""
    _must_change(request)
    one = _variable_or_404(request, pk)
    return _retire(request, one, one, one.local_name)


def retire_code(request, pk, code):
    """A code is offered no more, or again."""
    _must_change(request)
    one, found = _code_or_404(request, pk, code)
    return _retire(request, one, found, f"{found.code} {found.local_name}")


def _retire(request, variable, what, name):
    is_retired = not what.is_retired

    def act(*, reason, now):
        return catalogue.retire(by=request.user, what=what, is_retired=is_retired, reason=reason)

    title = _("Retire %(name)s") if is_retired else _("Take %(name)s back into use")
    message = _("It is offered no more; what was said stays.") if is_retired else _("It is in use again.")
    crumbs = [(variable.local_name, _href(variable)), _("Retire") if is_retired else _("Back into use")]
    return _changed(
        request, form=forms.Form(request.POST or None), act=act, message=message, back=_href(variable),
        title=title % {"name": name}, crumbs=crumbs, wants_reason=True,
    )  # fmt: skip


def new_code(request, pk):
    """A value more."""
    _must_change(request)
    one = _variable_or_404(request, pk)
    form = CodeForm(request.POST or None)

    def act(*, reason, now):
        return catalogue.add_code(by=request.user, variable=one, **form.cleaned_data, reason=reason)

    crumbs = [(one.local_name, _href(one)), _("Add a code")]
    return _changed(
        request, form=form, act=act, message=_("The code may be stated now."), back=_href(one),
        title=_("Add a code to %(name)s") % {"name": one.local_name}, crumbs=crumbs,
    )  # fmt: skip


def edit_code(request, pk, code):
    """What a code is called."""
    _must_change(request)
    one, found = _code_or_404(request, pk, code)
    form = NamesForm(request.POST or None, named=found)

    def act(*, reason, now):
        return catalogue.rename_code(by=request.user, code=found, **form.cleaned_data, reason=reason)

    title = _("Rename code %(code)d") % {"code": found.code}
    crumbs = [(one.local_name, _href(one)), title]
    return _changed(
        request, form=form, act=act, message=_("The code is renamed."), back=_href(one), title=title, crumbs=crumbs
    )


def categories(request):
    """Kinds of events, in their tree."""
    must_plan(request.user)
    is_open = may_change(request.user)
    q = request.GET.get("q", "").strip()
    found = Category.objects.select_related("parent").order_by("code")
    if q:
        found = found.filter(Q(code__icontains=q) | Q(name__icontains=q) | Q(name_en__icontains=q))
    rows = [
        [
            Cell(one.code, reverse("manage-category", args=[one.pk]) if is_open else ""),
            one.local_name,
            one.parent.local_name if one.parent else "",
            one.iccs,
        ]
        for one in found
    ]
    columns = [
        Column("code", _("Code")),
        Column("name", _("Name")),
        Column("parent", _("Below")),
        Column("iccs", _("ICCS class")),
    ]
    empty = _("No category like this. Clear the search, or add the category.")
    table = Table(
        _("Categories"), columns, rows, id="categories", name="categories", empty=empty, is_caption_hidden=True
    )
    if (file := respond_with(table, request)) is not None:
        return file
    context = {
        **_frame(request, _("Categories")),
        "q": q,
        "table": table.offered_at(request),
        "count": len(rows),
        "may_change": is_open,
    }
    return render(request, "incidents/manage/categories.html", context)


def new_category(request):
    """A kind of event more."""
    _must_change(request)
    form = CategoryForm(request.POST or None)

    def act(*, reason, now):
        return catalogue.add_category(by=request.user, **form.cleaned_data, reason=reason)

    back = reverse("manage-categories")
    return _changed(
        request, form=form, act=act, message=_("Events may be of this category now."), back=back,
        title=_("Add a category"), crumbs=[(_("Categories"), back), _("Add")],
    )  # fmt: skip


def edit_category(request, pk):
    """What a kind of event is called."""
    _must_change(request)
    one = Category.objects.filter(pk=pk).first()
    if one is None:
        raise Http404(_("There is no such category."))
    form = ChangeCategoryForm(request.POST or None, category=one)

    def act(*, reason, now):
        return catalogue.change_category(by=request.user, category=one, **form.cleaned_data, reason=reason)

    back = reverse("manage-categories")
    return _changed(
        request, form=form, act=act, message=_("The category is changed."), back=back,
        title=_("Change %(name)s") % {"name": one.local_name}, crumbs=[(_("Categories"), back), one.code],
    )  # fmt: skip
