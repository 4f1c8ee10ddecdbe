"""GET /api/v1/docs: the schema as a page: every address in a table, and the same to try out by Swagger UI's scripts."""

from functools import cache

from django.shortcuts import render
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post")


def docs(request):
    """For people who have signed in; what is tried out reads in their name, or in a token's that they give."""
    return render(request, "api/docs.html", {"operations": operations(get_language())})


@cache
def operations(language):
    """(method, address, what it is in one sentence, anchor in Swagger UI) of all that the schema describes."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [
        (method.upper(), address, _first_sentence(operation.get("description", "")))
        for address, operations in sorted(schema["paths"].items())
        for method, operation in sorted(operations.items())
        if method in METHODS
    ]


def _first_sentence(words):
    return " ".join(words.split()).partition(". ")[0].rstrip(".")
