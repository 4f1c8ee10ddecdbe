"""The answer where something failed: busy or away is told from broken, so that a sender knows to come again."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from units.api.errors import Problem, respond

AGAIN = 2  # seconds after which a sender may try again


def failed(request):
    """503 with Retry-After where the database has no connection to give or is away; 500 for all else."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    headers = {"Retry-After": str(AGAIN)} if is_away else {}
    status = 503 if is_away else 500
    if request.path.startswith("/api/"):
        rule = "not_available" if is_away else "failed"
        words = (
            _("Send the same again in a moment: what was taken already changes nothing.")
            if is_away
            else _("Something failed on our side.")
        )
        return respond(Problem(rule, words, status=status, headers=headers))
    return HttpResponse(render_to_string("500.html"), status=status, headers=headers)  # asks the database nothing
