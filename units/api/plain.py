"""A plain view of the API: no browsable form, no serializer, as cheap as a view can be.

@plain.endpoint("POST", writes=True)
def incidents(request, account, token): ...
"""

import functools

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.csrf import csrf_exempt

from units.api import authentication, errors, throttling


def endpoint(*methods, writes=False):
    """Token, limit, headers and problems around a view of (request, account, token, ...). `writes`: for integrators."""
    allowed = _with_head(methods)

    def wrap(view):
        @csrf_exempt  # a browser's session never writes here: see authentication
        @login_not_required  # a stranger gets 401 and not the page on which people sign in
        @errors.answers_problems
        @functools.wraps(view)
        def answer(request, *args, **kwargs):
            if request.method not in allowed:
                raise errors.of_method(request.method, allowed)
            account, token = authentication.authenticate(request)
            headers = throttling.throttle(account)
            try:
                if writes:
                    authentication.must_write(token)
                response = view(request, account, token, *args, **kwargs)
            except Exception as error:
                problem = errors.problem_of(error)
                if problem is None:
                    raise
                response = errors.respond(problem)
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            return response

        return answer

    return wrap


def by_method(**views):
    """One address whose methods are answered by different views: by_method(GET=read, POST=send).

    To the maker of the schema it is the view that reads; what is sent stands in `scorecard.api.sent`.
    """

    @csrf_exempt
    @login_not_required
    @errors.answers_problems
    def answer(request, *args, **kwargs):
        view = views.get("GET" if request.method == "HEAD" else request.method)
        if view is None:
            raise errors.of_method(request.method, _with_head(views))
        return view(request, *args, **kwargs)

    for name in ("cls", "actions", "initkwargs"):
        if hasattr(views.get("GET"), name):
            setattr(answer, name, getattr(views["GET"], name))
    return answer


def _with_head(methods):
    """Methods, sorted; whoever may GET may ask for the headers alone."""
    return sorted({*methods, "HEAD"} if "GET" in methods else methods)
