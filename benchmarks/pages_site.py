"""The site as gunicorn serves it, with the empty view of pages_urls.py."""

from django.conf import settings

from scorecard.wsgi import application

settings.ROOT_URLCONF = "benchmarks.pages_urls"

__all__ = ["application"]
