"""Pages of a list by cursor: the next page begins where this one ended, however many rows came in between."""

import base64
import binascii
import json

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from units.api.errors import Problem, of_parameter

PAGE, LONGEST = 100, 1000


class Cursor(BasePagination):
    """`next` is the address of the next page, null on the last; `limit` rows a page, 100 unless asked, 1,000 at most.

    The view's `order` names fields that together tell any two rows apart, and which an index should hold: a page deep
    in the list costs as much as the first.
    """

    def paginate_queryset(self, queryset, request, view=None):
        self.order = tuple(getattr(view, "order", ("pk",)))
        self.request, limit = request, limit_of(request)
        if given := request.query_params.get("cursor"):
            queryset = _from(queryset, self.order, _opened(given, self.order))
        rows = list(queryset.order_by(*self.order)[: limit + 1])
        self.next = _sealed(rows[limit - 1], self.order) if len(rows) > limit else None
        return rows[:limit]

    def get_paginated_response(self, data):
        return Response({"next": self._address(), "results": data})

    def _address(self):
        if self.next is None:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = self.next
        return f"{self.request.build_absolute_uri(self.request.path)}?{query.urlencode()}"

    def get_paginated_response_schema(self, schema):
        following = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view):
        limit = {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": PAGE}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit, "description": "Rows a page."},
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "schema": {"type": "string"},
                "description": "Where the page begins: taken from `next` of the page before.",
            },
        ]


def limit_of(request):
    given = request.query_params.get("limit", str(PAGE))
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= LONGEST):
        raise of_parameter("limit", _("limit: a whole number from 1 to %(n)s.") % {"n": LONGEST})
    return int(given)


def _from(queryset, order, values):
    try:
        return queryset.filter(_after(order, values))
    except (ValidationError, ValueError, TypeError) as error:  # a day that is none, a text for a number
        raise _not_ours() from error


def _not_ours():
    return Problem("invalid_cursor", _("This cursor was not given out here."))


def _after(order, values):
    """Rows past these values, in this order of fields. The first field bounds the search by itself, for its index."""
    later = Q()
    for name, value in zip(reversed(order), reversed(values), strict=True):
        past = Q(**{f"{name}__gt": value})
        later = past | (Q(**{name: value}) & later) if later else past
    return Q(**{f"{order[0]}__gte": values[0]}) & later


def _sealed(row, order):
    values = [_value(row, name) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values, cls=DjangoJSONEncoder).encode()).decode().rstrip("=")


def _value(row, name):
    for part in name.split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row


def _opened(given, order):
    """The values in a cursor; a cursor that we did not make is refused, whatever is in it."""
    try:
        values = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        if not (isinstance(values, list) and len(values) == len(order)):
            raise ValueError(given)
        return [_checked(value) for value in values]
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise _not_ours() from error


def _checked(value):
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(value)
    if isinstance(value, int):
        if not -(2**31) <= value < 2**63:
            raise ValueError(value)
        return value
    if len(value) > 64 or "\x00" in value:
        raise ValueError(value)
    return value
