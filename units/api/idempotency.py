"""A request that may be sent again: the same Idempotency-Key gets the first answer once more, and nothing is done.

Both functions run inside the transaction that does the work. Of two at once the second waits for the first at the
unique constraint, and then finds its answer; where the first failed, nothing of it is there and the second does it.
"""

import hashlib
from datetime import timedelta

from django.db import connection
from django.http import HttpResponse
from django.utils.translation import gettext as _

from units.api.errors import Problem
from units.models import IdempotencyKey

KEPT = timedelta(hours=48)


def key_of(request):
    """The header's key, or None; raises Problem where it is too long or holds what no key holds."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise Problem("bad_idempotency_key", _("Idempotency-Key takes 1 to 255 printable characters."))
    return key


def digest_of(request, body):
    """What makes two requests one and the same: method, address, kind of body, body."""
    head = "\n".join([request.method, request.get_full_path(), request.content_type or "", ""])
    return hashlib.sha256(head.encode() + body).digest()


def replay(*, account, key, digest, now):
    """The stored answer (HttpResponse), or None where this request is the first and must `store` what it answers.

    Raises Problem 422 where the key was used for another request.
    """
    if key is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO units_idempotencykey (account_id, key, request_digest, status, body, at)"
            " VALUES (%s, %s, %s, 0, '', %s) ON CONFLICT (account_id, key) DO NOTHING",
            [account.pk, key, digest, now],
        )
        if cursor.rowcount:
            return None
    kept = IdempotencyKey.objects.get(account=account, key=key)
    if bytes(kept.request_digest) != digest:
        raise Problem(
            "idempotency_key_reused",
            _("This Idempotency-Key came with another request before: take a new key for a new request."),
            status=422,
        )
    headers = {"Idempotency-Replayed": "true"}
    return HttpResponse(bytes(kept.body), status=kept.status, content_type="application/json", headers=headers)


def store(*, account, key, status, body):
    """Keep the answer (bytes of JSON) with the work it answers for. In the same transaction."""
    if key is not None:
        IdempotencyKey.objects.filter(account=account, key=key).update(status=status, body=body)


def release(*, account, key):
    """Let another request come under the key. In the same transaction."""
    if key is not None:
        IdempotencyKey.objects.filter(account=account, key=key).delete()


def forget(*, before):
    """Keys older than this: nobody sends those requests again."""
    return IdempotencyKey.objects.filter(at__lt=before).delete()[0]
