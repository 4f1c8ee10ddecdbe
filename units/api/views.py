"""What every view of the API is: a token or a signed-in person, the account's limit, an ETag, problems as answers."""

from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.viewsets import GenericViewSet

from units.api import schema  # noqa: F401 - read by the maker of the schema
from units.api.throttling import throttle


class Limited:
    """Counts the request against the account's limit and says so in the answer's headers."""

    http_method_names = ("get", "head")
    rate_headers = {}

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        self.rate_headers = throttle(request.user)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.rate_headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


@method_decorator(conditional_page, name="dispatch")
class ListSet(Limited, ListModelMixin, GenericViewSet):
    """A list by cursor of what `seen_by` says. What has not changed since its ETag is not sent again."""

    def get_queryset(self):
        is_described = getattr(self, "swagger_fake_view", False)  # the schema is made: nobody asks
        return self.queryset if is_described else self.seen_by(self.request.user)

    def seen_by(self, user):
        raise NotImplementedError


class ReadSet(RetrieveModelMixin, ListSet):
    """A list by cursor, and its items by code."""

    lookup_field = "code"
    lookup_value_regex = "[^/]+"
    order = ("code",)
