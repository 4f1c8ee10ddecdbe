"""What is asked of a request before any page sees it."""

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.shortcuts import render
from django.utils.translation import gettext as _

from units.api.errors import Problem, respond

NUL = "\0"


class OnlyText:
    """An address, a cookie or a field with the character NUL is refused: no text holds it, and no database keeps it.

    Fields are looked at where the check against forgery reads them in any case. Of an API no body is read here.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response):
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self.process_view = self._look_later

    def __call__(self, request):
        return refuse(request) if _in_address(request) else self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        return self._look(request, view) if request.method == "POST" else None

    async def _look_later(self, request, view, args, kwargs):
        if request.method == "POST":  # other requests need no thread
            return await sync_to_async(self._look)(request, view)
        return None

    def _look(self, request, view):
        return refuse(request) if not getattr(view, "csrf_exempt", False) and _in_fields(request) else None


def _in_address(request):
    query = request.META.get("QUERY_STRING", "")
    is_quoted = "\\000" in request.META.get("HTTP_COOKIE", "")  # as a cookie can write it
    in_cookies = is_quoted and any(NUL in value for value in request.COOKIES.values())
    return NUL in request.path or NUL in query or "%00" in query or in_cookies


def _in_fields(request):
    return any(NUL in text for name, values in request.POST.lists() for text in (name, *values))


def refuse(request):
    words = _("The address or a field holds a character that no text has.")
    if request.path.startswith("/api/"):
        return respond(Problem("no_text", words))
    return render(request, "400.html", {"words": words}, status=400)
