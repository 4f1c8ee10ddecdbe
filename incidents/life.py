"""An incident with all that was said of it before, as far as the person may see where it was said to be."""

import math

from incidents.drawn import Middles
from incidents.models import Factor, Fate, Incident, IncidentKey, IncidentPast
from incidents.queries import Words, described, facts, own_institutions
from incidents.querysets import IncidentQuerySet

LONGEST = 200  # earlier accounts that are told


def by_key(source, external_id):
    """The id of an incident by its source's code and the source's own identifier, or None. One query."""
    found = IncidentKey.objects.filter(source__code=source, external_id=external_id)
    return found.values_list("incident_id", flat=True).first()


def life_of(incident_id, user):
    """The incident as `described` tells it, with `revisions` and `is_retracted`; None where the person sees none.

    What was taken back is told as it was said last, to whoever sees where that was. A fixed number of queries.
    """
    related = ("source", "category", "territory")
    past = IncidentQuerySet(IncidentPast).filter(incident_id=incident_id).visible_to(user).select_related(*related)
    past = list(past.order_by("-replaced_at", "-id")[:LONGEST])
    now = list(Incident.objects.filter(id=incident_id).visible_to(user).select_related(*related))
    is_there = bool(now) or Incident.objects.filter(id=incident_id).exists()
    is_retracted = not is_there and bool(past) and past[0].fate in (Fate.RETRACTED, Fate.REMOVED)
    if not now and not is_retracted:
        return None
    revisions = _told(past, user)
    if now:
        said = described(now, user)[0]
    else:
        external = IncidentKey.objects.filter(incident_id=incident_id).values_list("external_id", flat=True).first()
        last = {name: value for name, value in revisions[0].items() if name not in OF_REVISION}
        said = {"id": incident_id, **last, "external_id": external}
    return said | {"is_retracted": is_retracted, "revisions": revisions}


OF_REVISION = {"fate", "changes", "reason", "replaced_at", "replaced_by"}


def _told(past, user):
    own, words = own_institutions(user), Words()
    reserved, middles = words.reserved(), Middles(past)
    found = []
    for one in past:
        is_own = own is None or one.source_id in own
        said = facts(one, middles)
        said.pop("id")
        said["variables"] = words.say(Factor.ENVIRONMENT, one.codes, one.numbers, is_own)
        said["victims"] = [words.say(Factor.VICTIM, *_person(p), is_own) for p in one.victims]
        said["victimizers"] = [words.say(Factor.VICTIMIZER, *_person(p), is_own) for p in one.victimizers]
        found.append(
            said
            | {
                "fate": one.fate,
                "changes": [name for name in one.changes if is_own or name not in reserved],
                "reason": one.reason if is_own else "",
                "replaced_at": one.replaced_at,
                "replaced_by": "publication" if one.replaced_by_id else "feed",
            }
        )
    return found


def _person(kept):
    """(codes, numbers) of a person in a past account, kept as JSON: null for a number that is not stated."""
    codes, numbers = (kept["codes"], kept["numbers"]) if isinstance(kept, dict) else kept
    return codes, [math.nan if number in (None, "NaN") else float(number) for number in numbers]
