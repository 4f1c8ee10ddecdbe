"""POST /api/v1/measurements: figures of one institution's units, many in one body."""

from django.utils import timezone

from indicators.sent import decode, rules
from indicators.sent.take import answer, take
from units.api import plain, sending
from units.api.errors import Problem
from units.api.metering import meter

MOST = 100_000  # rows of a body
STATUS = {"kind_unknown": 415, "too_many_rows": 413}


@plain.endpoint("POST", writes=True)
def measurements(request, account, token):
    """Take the rows that can be taken, in one transaction, and say of each what came of it."""
    now, body = timezone.now(), sending.body_of(request)
    counts = {}

    def work():
        table = _table(request, body)
        outcome = take(
            by=account,
            institution=account.institution,
            table=table,
            now=now,
            name=token.name,
            dry_run=sending.is_dry_run(request),
        )
        counts.update({} if outcome.is_dry_run else {f"figures_{name}": n for name, n in outcome.counts.items()})
        return 200, answer(outcome)

    response = sending.once(request, account, body=body, now=now, work=work)
    meter(account, account.institution.code, now=now, **counts)
    return response


def _table(request, body):
    try:
        kind = decode.kind_of(request.META.get("CONTENT_TYPE", ""))
        table = decode.decode(body, kind, is_short=sending.breaks_off(request, body))
        if table.total > MOST:
            raise decode.BodyError("too_many_rows", MOST)
    except decode.BodyError as error:
        words = str(rules.BODY[error.rule]) % {"at": error.at}
        raise Problem(error.rule, words, status=STATUS.get(error.rule, 400)) from error
    return table
