"""What a person who answers for a unit expects of an indicator's year, with the reason; what was said before stays."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from scorecard import wording
from scorecard.addresses import asked_month
from scorecard.components import Crumb
from scorecard.judgements import judge, judgements_of
from scorecard.models import Outlook
from scorecard.queries import CODE, sheets_of, unit_here
from scorecard.views.indicator import sheet_of
from units.permissions import Permission, unit_or_404
from units.views.change import add_errors


class JudgementForm(forms.Form):
    """One of four, and why."""

    outlook = forms.TypedChoiceField(
        label=gettext_lazy("What do you expect of the year's target?"),
        choices=Outlook.choices,
        coerce=int,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("What you know that the figures do not show."),
    )


@require_http_methods(["GET", "POST"])
def judgement(request, code: str, indicator: str) -> HttpResponse:
    unit = unit_or_404(request.user, Permission.ENTER, code)
    month = asked_month(request)
    here = unit_here(request.user, code, month, indicator)
    sheets = sheets_of(indicator) if CODE.fullmatch(indicator) else []
    month = month or here.latest
    if not sheets or here.position is None or month is None:
        raise Http404(_("There is no indicator %(code)s for this unit.") % {"code": indicator[:40]})
    sheet = sheet_of(sheets, month)
    form = JudgementForm(request.POST or None)
    back = wording.indicator_href(code, indicator, month) + "#outlook"
    if request.method == "POST" and form.is_valid():
        try:
            judge(
                by=request.user, unit=unit, indicator=sheet.indicator, month=month, now=timezone.now(),
                **form.cleaned_data,
            )  # fmt: skip
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("Your judgement stands beside the forecast."))
            return HttpResponseRedirect(back)
    said = {"indicator": sheet.local_name, "unit": unit.local_name, "year": month.year}
    context = {
        "form": form,
        "unit": unit,
        "title": _("Will %(indicator)s of %(unit)s meet the target of %(year)s?") % said,
        "crumbs": [Crumb(unit.local_name, wording.scorecard_href(code, month)), Crumb(sheet.local_name, back)],
        "back": back,
        "judgements": judgements_of(unit, sheet.indicator, month.year),
    }
    return render(request, "scorecard/judgement.html", context)
