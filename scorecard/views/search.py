"""Finding a unit, a territory or an indicator by its code or its name, accents and capitals aside."""

from urllib.parse import urlencode

from django.db.models import Func, Q, Value
from django.db.models.functions import Lower
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from indicators.models import SheetVersion
from units.files import fold
from units.models import Territory, Unit

SHOWN = 30
OFFERED = 8
PLAIN = ("áàäâãéèëêíìïîóòöôõúùüûñç", "aaaaaeeeeiiiiooooouuuunc")


def plain(field):
    """A column in small letters without accents, as `fold` writes text; without an extension of PostgreSQL."""
    return Func(Lower(field), Value(PLAIN[0]), Value(PLAIN[1]), function="translate")


def find(user, text, limit=SHOWN):
    """(units, indicators' sheets) of what the person may see. Three queries.

    A territory is found as the units that cover it, since a page belongs to a unit.
    """
    seen = Unit.objects.visible_to(user)
    by_place = Q(territory__in=_territories(text))
    units = _matching_units(seen, text) | by_place
    found = seen.filter(units).select_related("institution", "territory")
    code = text.strip().upper()
    units = sorted(found.order_by("code")[: 4 * limit], key=lambda unit: _rank(unit, code))[:limit]
    sheets = SheetVersion.objects.filter(valid_to=None, indicator__institution__units__in=seen)
    sheets = sheets.alias(plain_name=plain("name"), plain_name_en=plain("name_en")).filter(
        _words(text, "indicator__code__icontains", "plain_name__contains", "plain_name_en__contains")
    )
    sheets = list(sheets.select_related("indicator__institution").distinct().order_by("indicator__code")[:limit])
    return units, _with_unit(sheets, seen)


def _with_unit(sheets, seen):
    """Each sheet with the code of the highest unit that the person may see of its institution: where its page opens."""
    ids = {sheet.indicator.institution_id for sheet in sheets}
    highest = {}
    for institution, code, path in seen.filter(institution__in=ids).values_list("institution_id", "code", "path"):
        if institution not in highest or len(path) < highest[institution][0]:
            highest[institution] = (len(path), code)
    for sheet in sheets:
        sheet.unit_code = highest[sheet.indicator.institution_id][1]
    return sheets


def _words(text, *lookups):
    """A filter that asks for every word in any of the lookups."""
    asked = Q()
    for word in fold(text).split():
        asked &= Q(*((lookup, word) for lookup in lookups), _connector=Q.OR)
    return asked


def _matching_units(seen, text):
    named = Unit.objects.alias(plain_name=plain("name"), plain_name_en=plain("name_en"), said=Lower("code"))
    asked = _words(text, "said__contains", "plain_name__contains", "plain_name_en__contains")
    return Q(pk__in=named.filter(asked | Q(code__icontains=text.strip())).values("pk"))


def _territories(text):
    named = Territory.objects.alias(plain_name=plain("name"), plain_name_en=plain("name_en"))
    asked = _words(text, "code__icontains", "plain_name__contains", "plain_name_en__contains")
    return named.filter(asked).values("pk")


def _rank(unit, code):
    """A whole code first, the unit's or its territory's; then the highest units."""
    place = unit.territory.code if unit.territory else ""
    is_named = code in (unit.code, place)
    return (not is_named, len(unit.path), unit.code)


@require_safe
def search(request):
    """What was found; for the box of the frame, the options that it offers; a single unit by its code opens at once."""
    text = request.GET.get("q", "").strip()[:80]
    if request.htmx:
        units, _sheets = find(request.user, text, OFFERED) if len(text) > 1 else ([], [])
        return render(request, "search/options.html", {"units": units})
    units, sheets = find(request.user, text) if text else ([], [])
    whole = [unit for unit in units if unit.code == text.upper()]
    if len(whole) == 1:
        return redirect("scorecard", whole[0].code)
    context = {"search_query": text, "units": units, "sheets": sheets, "shown": SHOWN, "query": urlencode({"q": text})}
    return render(request, "search/search.html", context)
