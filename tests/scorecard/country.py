"""What the tests of scorecard pages share."""

import html
import re

from django.test import Client

from scorecard.queries import RECIPES


def signed_in(user, language="en"):
    """A client that holds the person's session and reads in this language."""
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def text_of(response):
    """What a page says, without its tags and with single spaces."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def forget_recipes():
    RECIPES.clear()
