"""Every text of the pages and of the code is in Spanish, with the same placeholders, and none is forgotten."""

import io
import re
from functools import cache

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from scorecard.engines import ROOT

LANGUAGE = "es"
CATALOGUE = ROOT / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"
APPS = ("units", "indicators", "incidents", "scorecard")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
# What calls for a translation, and in which argument the text (or c, its context) stands.
CALLS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[-+#0]?\d*(?:\.\d+)?[a-z]|%[-+#0]?\d*(?:\.\d+)?[sdfgr]|%%|\{\w*\}")


@cache
def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


def messages():
    return [message for message in catalogue() if message.id]


def english(message):
    """Singular and plural of the source, or its one text twice."""
    return message.id if message.pluralizable else (message.id, message.id)


def spanish(message):
    return message.string if message.pluralizable else (message.string,)


def texts_of(source):
    """(context, text) of every call for a translation in this Python."""
    for _line, name, found, _comments in extract_python(io.BytesIO(source.encode()), CALLS, [], {"encoding": "utf-8"}):
        words = found if isinstance(found, tuple) else (found,)
        has_context = bool(CALLS[name]) and isinstance(CALLS[name][0], tuple)
        context, text = words[:2] if has_context else (None, words[0])
        if text:
            yield context, text


def texts_of_template(source, name):
    # Django turns a template into calls amid rubbish; in brackets, the rubbish has no indentation to be wrong.
    yield from texts_of("(" + templatize(source, origin=name) + "\n)")


def missing_from_catalogue(texts):
    known = {(message.context, english(message)[0]) for message in messages()}
    return sorted({text for context, text in texts if (context, text) not in known})


@pytest.mark.parametrize("path", [*SOURCES, *TEMPLATES], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_of_pages_and_code_is_in_the_catalogue(path):
    source = path.read_text()
    found = texts_of_template(source, path.name) if path.suffix == ".html" else texts_of(source)
    assert missing_from_catalogue(found) == [], "make messages collects them; then translate them"


def test_extraction_finds_every_form_of_call():
    python = (
        '_("a") + gettext_lazy("b") + ngettext("c", "cs", n) + pgettext_lazy("of", "d")\n_("joined "\n  "text") % {}'
    )
    assert list(texts_of(python)) == [(None, "a"), (None, "b"), (None, "c"), ("of", "d"), (None, "joined text")]
    page = (
        "{% load i18n %}\n   <p title=\"don't\">{% translate 'a' %} it's\n {% translate 'b' context 'of' %}"
        "{% blocktranslate count n=n trimmed %}\n {{ n }} c\n{% plural %}{{ n }} cs{% endblocktranslate %}"
        "{{ x|default:_('d') }}"
    )
    assert list(texts_of_template(page, "page")) == [(None, "a"), ("of", "b"), (None, "%(n)s c"), (None, "d")]


def test_every_text_is_translated():
    assert messages()
    assert [message.id for message in messages() if len(spanish(message)) < 1 or not all(spanish(message))] == []


def test_no_translation_is_a_guess_or_a_leftover():
    assert [message.id for message in messages() if message.fuzzy] == []
    assert list(catalogue().obsolete) == []


def test_plurals_have_two_forms():
    assert catalogue().num_plurals == 2
    assert [message.id for message in messages() if message.pluralizable and len(message.string) != 2] == []


def test_placeholders_agree():
    wrong = []
    for message in messages():
        if not {"python-format", "python-brace-format"} & set(message.flags):
            continue
        allowed = [sorted(PLACEHOLDER.findall(text)) for text in english(message)]
        wrong += [text for text in spanish(message) if sorted(PLACEHOLDER.findall(text)) not in allowed]
    assert wrong == []


def test_a_sentence_stays_a_sentence():
    """A full stop at the end is there in both languages or in neither: it tells a label cut short from a sentence."""
    wrong = [
        text
        for message in messages()
        for source, text in zip(english(message), spanish(message), strict=False)
        if source.endswith((".", ":", "…")) != text.endswith((".", ":", "…"))
    ]
    assert wrong == []
