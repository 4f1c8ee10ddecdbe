"""The page of targets: a grid of months for a unit, or for its children, with a year's target spread over them."""

import math
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from indicators import targets
from indicators.forms import CHILDREN, SpreadForm, TargetChoiceForm
from indicators.views.manage_sheets import must_plan
from units import cells
from units.models import Unit
from units.views.change import change
from units.views.frame import manage_frame

TEMPLATE = "indicators/manage/targets.html"


class NumberField(forms.CharField):
    """A number as people write it, with decimal comma or point; empty is no number, never zero."""

    def __init__(self, *, decimals, **options):
        super().__init__(required=False, **options)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}
        self.decimals = decimals

    def prepare_value(self, value):
        if not isinstance(value, (int, float)):
            return value
        text = f"{value:.{max(self.decimals, 6)}f}".rstrip("0").rstrip(".") if value != int(value) else f"{value:.0f}"
        return text.replace(".", ",") if (get_language() or "")[:2] == "es" else text

    def to_python(self, value):
        text = super().to_python(value)
        try:
            number = cells.number(text, decimal_comma=(get_language() or "")[:2] == "es")
        except cells.CellError:
            raise ValidationError(_("“%(text)s” is not a number.") % {"text": text}) from None
        return None if math.isnan(number) else number


class GridForm(forms.Form):
    """A field a unit, month and part of a target; and a year's target a unit, to be spread."""

    def __init__(self, data=None, *, found, **kwargs):
        super().__init__(data, **kwargs)
        self.found = found
        for row in found.rows:
            for part in found.parts:
                label = _("%(unit)s, whole year") % {"unit": row.unit.code}
                self._add(f"y-{row.unit.pk}-{part}", label, None)
                for month in sorted(row.open_months):
                    standing = row.targets.get(month)
                    label = f"{row.unit.code}, {date_format(month, 'F')}"
                    self._add(name_of(row, month, part), label, getattr(standing, part, None))

    def _add(self, name, label, value):
        field = NumberField(decimals=self.found.sheet.decimals, label=label)
        field.widget.attrs["aria-label"] = label
        self.fields[name] = field
        self.initial[name] = value

    def clean(self):
        given = super().clean()
        for row in self.found.rows if self.found.is_range else ():
            for month in row.open_months:
                low, high = (given.get(name_of(row, month, part)) for part in ("low", "high"))
                if low is not None and high is not None and low > high:
                    self.add_error(name_of(row, month, "low"), _("The range begins above its end."))
        return given

    @property
    def typed(self):
        """{(unit id, month): {part: value or None}}."""
        return {
            (row.unit.pk, month): {part: self.cleaned_data[name_of(row, month, part)] for part in self.found.parts}
            for row in self.found.rows
            for month in row.open_months
        }

    @property
    def lines(self):
        """Rows of the grid: (row, label of the part, year's field, cells); a cell is None where nothing is due."""
        labels = {"value": "", "low": _("from"), "high": _("to")}
        for row in self.found.rows:
            for part in self.found.parts:
                shown = [
                    (self[name_of(row, month, part)] if month in row.open_months else None, _was(row, month, part))
                    for month in self.found.months
                ]
                yield row, labels[part], self[f"y-{row.unit.pk}-{part}"], shown


def name_of(row, month, part):
    return f"t-{row.unit.pk}-{month.month}-{part}"


def _was(row, month, part):
    before = row.before.get(date(month.year - 1, month.month, 1))
    return getattr(before, part, None) if before else None


def page(request):
    """Choose targets, and change them."""
    must_plan(request.user)
    choice = TargetChoiceForm(_asked(request), by=request.user) if request.GET else None
    if choice is None or not choice.is_valid():
        choice = choice or TargetChoiceForm(by=request.user, initial={"year": timezone.localdate().year})
        return render(request, TEMPLATE, {**manage_frame(request, "targets"), "choice": choice, "grid": None})
    given = choice.cleaned_data
    try:
        found = targets.grid(indicator=given["indicator"], units=_units(given), year=given["year"])
    except ValidationError as error:
        choice.add_error("year", error.message_dict["year"])
        return render(request, TEMPLATE, {**manage_frame(request, "targets"), "choice": choice, "grid": None})
    return _grid_page(request, choice, found)


def _asked(request):
    asked = request.GET.copy()
    asked.setdefault("of", "unit")
    return asked


def _units(given):
    unit = given["unit"]
    if given["of"] != CHILDREN:
        return [unit]
    return [unit, *Unit.objects.filter(parent=unit, institution=unit.institution).order_by("code")]


def _grid_page(request, choice, found):
    form = GridForm(request.POST if request.method == "POST" else None, found=found)
    spreading = SpreadForm(request.POST or None)
    if request.POST.get("step") == "spread" and form.is_valid() and spreading.is_valid():
        form = _spread(request, form, found, spreading.cleaned_data["rule"])
    has_targets = any(row.targets for row in found.rows)

    def act(*, reason, now):
        return targets.save(by=request.user, found=found, typed=form.typed, now=now, reason=reason)

    def done(outcome):
        written = outcome.written
        count = written.created + written.changed + written.blanked
        return (
            ngettext("%(n)s target is saved.", "%(n)s targets are saved.", count) % {"n": count},
            request.get_full_path(),
        )

    context = {
        "choice": choice,
        "grid": found,
        "spreading": spreading,
        "rules": SpreadForm.RULES,
        "rule": request.POST.get("rule", ""),
    }
    if request.POST.get("step") == "spread":
        return render(
            request, TEMPLATE, {**manage_frame(request, "targets"), **context, "form": form, "title": _title(found)}
        )
    return change(
        request,
        form=form,
        act=act,
        done=done,
        title=_title(found),
        frame=manage_frame(request, "targets", (found.indicator.code, request.get_full_path())),
        back=reverse("manage-targets"),
        wants_reason=has_targets,
        template=TEMPLATE,
        extra=context,
    )


def _title(found):
    return _("Targets of %(name)s in %(year)s") % {"name": found.sheet.local_name, "year": found.year}


def _spread(request, form, found, rule):
    """The form with the year's targets that were given spread over their months; the rest as typed."""
    data = QueryDict(mutable=True)
    data.update(request.POST.dict())
    refused = []
    for row in found.rows:
        for part in found.parts:
            whole = form.cleaned_data[f"y-{row.unit.pk}-{part}"]
            if whole is None:
                continue
            try:
                months = targets.spread(found=found, row=row, year_target=whole, rule=rule, part=part)
            except ValidationError as error:
                refused.append((f"y-{row.unit.pk}-{part}", error.messages))
                continue
            for month, value in months.items():
                name = name_of(row, month, part)
                data[name] = form.fields[name].prepare_value(value)
    spread = GridForm(data, found=found)
    spread.is_valid()
    for name, messages in refused:
        spread.add_error(name, messages)
    return spread
