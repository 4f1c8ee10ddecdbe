"""Addresses under /api/v1/ that there are not: answered as the API answers, not with a page."""

from django.contrib.auth.decorators import login_not_required
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from units.api.errors import Problem, respond


@csrf_exempt
@login_not_required
def missing(request):
    return respond(Problem("not_found", _("There is no such address: see /api/v1/docs."), status=404))
