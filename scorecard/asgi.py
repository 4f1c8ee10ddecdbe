import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scorecard.settings")
os.environ.setdefault("DATABASE_POOL", "8")  # each request has a thread of its own, so none may keep a connection

# A static file is read whole before it is sent, which is what we want of files that browsers keep for ever.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

site = get_asgi_application()

from scorecard.live import app as live  # noqa: E402 - after the settings


async def application(scope, receive, send):
    """The streams of open pages, which Django would hold a thread or 50 kB for, and the site."""
    if scope["type"] == "lifespan" or scope["path"] == live.PATH:
        await live.application(scope, receive, send)
    else:
        await site(scope, receive, send)
