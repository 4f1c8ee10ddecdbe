import pytest
from django.utils import timezone

from tests.incidents.connect.source import Source
from tests.incidents.feed.conftest import account, send  # noqa: F401 - fixtures


@pytest.fixture
def source(settings):
    """`source(items, style=...)`: a Source that is served until the test ends, with its address as `url`."""
    from contextlib import ExitStack

    settings.CONNECT_HOSTS = ["127.0.0.1"]
    settings.CONNECT_TIMEOUT = 5.0
    with ExitStack() as stack:

        def serve(items=(), **how):
            made = Source(items, **how)
            made.url = stack.enter_context(made.served())
            return made

        yield serve


@pytest.fixture
def connect(country):
    """`connect(source, ...)`: an active connector of the police that reads it."""
    from incidents.connect import actions

    def made(source, name="calls", institution=None, **said):
        said = {"paging": source.style, "url": source.url, **said}
        return actions.add(by=None, institution=institution or country.police, name=name, now=timezone.now(), **said)

    return made
