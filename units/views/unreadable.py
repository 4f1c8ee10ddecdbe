"""The page of a request that cannot be read: it says what is wrong with it, in the reader's language."""

from django.core.exceptions import BadRequest
from django.shortcuts import render
from django.utils.translation import gettext as _

from units.api.errors import Problem, respond


def unreadable(request, exception):
    """Only what was written to be read is shown: other refusals speak of the inside of the site."""
    words = str(exception) if isinstance(exception, BadRequest) else ""
    if request.path.startswith("/api/"):
        return respond(Problem("unreadable", words or _("The request cannot be read.")))
    return render(request, "400.html", {"words": words}, status=400)
