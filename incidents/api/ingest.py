"""POST /api/v1/incidents: events of one institution, one or many; GET /api/v1/jobs/<id>: how far a large body is."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from incidents.feed import BodyError, decode, jobs, laid_out
from incidents.feed.outcome import cut, encode
from incidents.feed.receive import take
from incidents.feed.rules import BODY
from incidents.models import Job
from units.access import institution_or_404
from units.api import plain, sending
from units.api.errors import Forbidden, Problem
from units.api.metering import meter
from units.permissions import Permission

AT_ONCE = 8 * 2**20  # bytes of a body that is taken while the sender waits
ITEMS_AT_ONCE = 5_000


@plain.endpoint("POST", writes=True)
def incidents(request, account, token):
    """Take the body now, or keep it for a worker where it is large. `layout`: in whose columns it is written."""
    now, body, counts = timezone.now(), sending.body_of(request), {}

    def work():
        status, answer, counted = _answer(request, account, body, sending.is_dry_run(request), now)
        counts.update(counted)
        return status, answer

    response = sending.once(request, account, body=body, now=now, work=work)
    meter(account, account.institution.code, now=now, **counts)
    return response


def _answer(request, account, body, is_dry_run, now):
    """(status, members of the answer, counts to be metered)."""
    try:
        kind, layout = decode.kind_of(request.META.get("CONTENT_TYPE", "")), _layout(request)
        is_large, is_short = len(body) > AT_ONCE, sending.breaks_off(request, body)
        if not is_large or is_dry_run:
            decoded, source = jobs.read(body, kind, layout, institution=account.institution, is_short=is_short)
        if not is_dry_run and (is_large or len(decoded.items) > ITEMS_AT_ONCE):
            job = jobs.accept(
                account=account, institution=account.institution, body=body, kind=kind, now=now, layout=layout,
                is_short=is_short,
            )  # fmt: skip
            answer = {"job": reverse("api-job", args=[job.pk]), "state": job.state}
            if not is_large and decoded.cut is not None:
                answer["cut"] = cut(decoded.cut)
            return 202, answer, {"jobs": 1}
        outcome = take(account=account, institution=account.institution, now=now, decoded=decoded, dry_run=is_dry_run)
    except BodyError as error:
        status = 415 if error.rule == "kind_unknown" else 400
        raise Problem(error.rule, _words(error.rule, error.at), status=status) from error
    if outcome.stranger:
        raise Forbidden("other_institution", _words("other_institution", outcome.stranger))
    answer = outcome.body()
    if source is not None:
        laid_out.name_items(answer["items"], source)
    return 200, answer, {} if is_dry_run else outcome.metered


def _layout(request):
    name = request.GET.get("layout", "")
    if name and name not in laid_out.names():
        raise BodyError("layout_unknown", ", ".join(laid_out.names()))
    return name


def _words(rule, at):
    return str(BODY[rule]) % {"at": at}


@plain.endpoint("GET")
def job(request, account, token, pk):
    """A job: to the account that sent it, and to those who operate the feeds of its institution.

    Its report gives back what was wrong with the items, which is for nobody else.
    """
    found = Job.objects.defer("body").select_related("institution").filter(pk=pk).first()
    if found is None:
        raise Http404
    if found.account_id != account.pk:
        institution_or_404(account, Permission.MANAGE_FEEDS, found.institution.code)
    answer = {
        "id": str(found.pk), "state": found.state, "accepted_at": found.at, "started_at": found.started_at,
        "finished_at": found.finished_at, "items": found.items, "done": found.done, "report": found.report,
    }  # fmt: skip
    return HttpResponse(encode(answer), content_type="application/json")
