"""The site's addresses, and two more: an empty view, signed in and checked for permission, and a bare update."""

from itertools import count

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from units.permissions import Permission, unit_or_404

_following = count()


def empty(request, code):
    """As little as any page of the site does: session, user, and whether one may see the unit."""
    unit_or_404(request.user, Permission.VIEW, code)
    return HttpResponse("ok")


@csrf_exempt
@login_not_required
def update(request):
    """As little as any write can do: one row by its key, committed."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bench_row SET n = n + 1 WHERE id = %s", [next(_following) % 1000 + 1])
    return HttpResponse("ok")


urlpatterns = [
    path("bench/update/", update),
    path("bench/<str:code>/", empty),
    path("", include("scorecard.urls")),
]
