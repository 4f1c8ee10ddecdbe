"""The operator's pages of dead letters: which, why, the item as it came; replayed or dismissed."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.connect import letters, queries
from incidents.connect.models import DeadLetter, LetterState
from incidents.connect.views import MANAGE, must_operate
from incidents.feed.rules import REFUSED
from units.access import institution_or_404, institutions_in
from units.tables import Column, Table, respond_with
from units.views.frame import manage_frame

PAGE = 100
AT_ONCE = 1_000  # letters that one request replays
FILTERS = ("state", "rule", "feed", "q")
LIST = "incidents/manage/letters.html"


def dead_letters(request):
    """Refused items of connectors and jobs: filtered, replayed, dismissed."""
    must_operate(request.user)
    institutions = institutions_in(request.user, MANAGE)
    if request.method == "POST" and (response := _done(request, institutions)) is not None:
        return response
    asked = {name: request.GET.get(name, "").strip()[:80].replace("\x00", "") for name in FILTERS}
    if "state" not in request.GET:
        asked["state"] = LetterState.WAITING.value
    found = queries.letters_of(
        institutions, state=asked["state"], rule=asked["rule"], feed=asked["feed"], words=asked["q"]
    ).select_related("account", "institution", "settled_by")
    if request.GET.get("format"):
        return respond_with(_table(found.defer("raw")[: 100 * PAGE]), request)
    page = Paginator(found.defer("raw"), PAGE).get_page(request.GET.get("page"))
    rest = request.GET.copy()
    rest.pop("page", None)
    rules = queries.rules_waiting(institutions)
    context = {
        **manage_frame(request, "feeds", _("Dead letters")),
        **asked,
        "page": page,
        "query": rest.urlencode(),
        "letters": [(letter, rule_words(letter.rule)) for letter in page],
        "states": LetterState.choices,
        "rules": [(rule, rule_words(rule), n) for rule, n in rules],
        "waiting": sum(n for _rule, n in rules),
        "table": _table([]).offered_at(request),
    }
    return render(request, LIST, context)


def rule_words(rule):
    return str(REFUSED.get(rule, rule))


def _table(found):
    columns = [
        Column("received", _("Received"), "date"),
        Column("feed", _("Feed")),
        Column("external_id", _("Identifier at the source")),
        Column("rule", _("Rule")),
        Column("field", _("Field")),
        Column("message", _("What stood there")),
        Column("times", _("Times"), "number", 0),
        Column("state", _("State")),
    ]
    rows = [
        [
            letter.received_at, letter.account.username, letter.external_id,
            letter.rule, letter.field, letter.message, letter.times, letter.get_state_display(),
        ]
        for letter in found
    ]  # fmt: skip
    return Table(_("Dead letters"), columns, rows, id="dead-letters", name="dead-letters")


def _done(request, institutions):
    """Carry out what was asked of the chosen letters; None where none of them waits for this person."""
    chosen = _chosen(request, institutions)
    count = chosen.count()
    if not count:
        messages.warning(request, _("Choose letters that wait."))
        return None
    back = request.POST.get("back", "")
    here = reverse("manage-dead-letters") + (f"?{back}" if back else "")
    if request.POST.get("do") == "dismiss":
        if request.POST.get("step") != "confirm":
            return _confirm(request, chosen, count, here)
        n = letters.dismiss(by=request.user, letters=chosen, now=timezone.now())
        messages.success(request, _("Letters dismissed: %(n)s. Their items are cleared.") % {"n": n})
    else:
        told = letters.replay(by=request.user, letters=chosen, now=timezone.now())
        messages.success(request, _("Replayed: %(what)s.") % {"what": _told_words(told)})
    return HttpResponseRedirect(here)


def _chosen(request, institutions):
    """The waiting letters that the form names, or all that the filter shows. Those of others are not among them."""
    found = DeadLetter.objects.filter(institution__in=institutions, state=LetterState.WAITING)
    if request.POST.get("all"):
        asked = {name: request.POST.get(name, "").strip()[:80].replace("\x00", "") for name in ("rule", "feed", "q")}
        found = queries.letters_of(
            institutions, state=LetterState.WAITING, rule=asked["rule"], feed=asked["feed"], words=asked["q"]
        )
        ids = list(found.order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])
    else:
        ids = [
            int(pk)
            for pk in request.POST.getlist("letter")[:AT_ONCE]
            if pk.isascii() and pk.isdecimal() and len(pk) < 19
        ]
    return DeadLetter.objects.filter(institution__in=institutions, state=LetterState.WAITING, pk__in=ids)


def _confirm(request, chosen, count, here):
    context = {
        **manage_frame(request, "feeds", (_("Dead letters"), reverse("manage-dead-letters")), _("Dismiss")),
        "ids": list(chosen.values_list("pk", flat=True)),
        "count": count,
        "back": request.POST.get("back", ""),
        "here": here,
    }
    return render(request, "incidents/manage/letters_dismiss.html", context)


def _told_words(told):
    words = {
        "created": _("created"), "updated": _("updated"), "unchanged": _("known already"),
        "reclassified": _("reclassified"), "retracted": _("taken back"), "refused": _("refused again"),
        "overtaken": _("overtaken by a later account"), "cut": _("too large to be replayed"),
    }  # fmt: skip
    return ", ".join(f"{n} {words[result]}" for result, n in told.items() if n) or _("nothing")


def dead_letter(request, pk):
    """One letter: the rule, the field, the item as it came."""
    letter = (
        DeadLetter.objects.select_related("institution", "account", "connector", "settled_by").filter(pk=pk).first()
    )
    if letter is None:
        raise Http404(_("There is no such dead letter."))
    institution_or_404(request.user, MANAGE, letter.institution.code)
    context = {
        **manage_frame(request, "feeds", (_("Dead letters"), reverse("manage-dead-letters")), str(letter.pk)),
        "letter": letter,
        "rule_words": rule_words(letter.rule),
        "raw": _shown(letter),
    }
    return render(request, "incidents/manage/letter.html", context)


def _shown(letter):
    if letter.raw is None:
        return ""
    text = bytes(letter.raw).decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
