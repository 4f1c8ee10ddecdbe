"""Lights, figures, sparklines and scorecard rows as HTML, in one pass; every text is escaped on the way in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.html import conditional_escape as esc
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_lazy, pgettext

from scorecard import components
from scorecard.components import Band, IndicatorLine, ObjectiveLine, band_of

BAND_WORDS = {
    "green": gettext_lazy("on target"),
    "amber": gettext_lazy("at risk"),
    "red": gettext_lazy("off target"),
    "no_data": gettext_lazy("no data"),
    "not_applicable": gettext_lazy("not applicable"),
    "not_evaluable": gettext_lazy("not evaluable"),
    "withheld": gettext_lazy("withheld"),
}
_SHAPES = {
    "green": '<circle cx="6" cy="6" r="5"/>',
    "amber": '<path d="M6 .8 11.6 11H.4z"/>',
    "red": '<path d="M1.2 1.2h9.6v9.6H1.2z"/>',
    "no_data": '<circle cx="6" cy="6" r="4.5"/>',
    "not_applicable": '<path d="M1.5 6h9"/>',
    "not_evaluable": '<circle cx="6" cy="6" r="4.5"/><path d="M4 4l4 4M8 4 4 8"/>',
    "withheld": '<path d="M1.6 3.4a5 5 0 0 1 8.8 0M1.6 8.6a5 5 0 0 0 8.8 0M2.5 6h7"/>',
}
_HATCHED = '<path class="hatch" d="M-1 7 7-1M2 10 10 2M5 13 13 5"/>'
_RED_BELOW = '<path class="below" d="M7 7h4.6v4.6H7z"/>'


def safe(html: str) -> SafeString:
    """HTML put together here, where every text was escaped on the way in."""
    return mark_safe(html)  # noqa: S308


def current_language() -> str:
    return get_language() or "en"


# Lights


def band_words(band: Band) -> str:
    """A light in words, with its marks."""
    words = [str(BAND_WORDS[band.name])]
    if band.red_below:
        words.append(gettext("red below"))
    if band.provisional:
        words.append(gettext("provisional"))
    if band.chance:
        words.append(gettext("not distinguishable from chance"))
    return ", ".join(words)


def shape_svg(band: Band) -> str:
    """The shape alone; it always stands beside its word."""
    extra = (_HATCHED if band.provisional else "") + (_RED_BELOW if band.red_below else "")
    return (
        f'<svg class="l l-{band.name}" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" focusable="false">'
        f"{_SHAPES[band.name]}{extra}</svg>"
    )


def _mark(word: str) -> str:
    return f'<small class="mark">{esc(word)}</small>'


@lru_cache(maxsize=8192)
def _light_html(language: str, marks: int | str | Band, is_compact: bool) -> SafeString:
    band = band_of(marks)
    if is_compact:
        said = esc(band_words(band))
        return safe(f'<span class="light" title="{said}">{shape_svg(band)}<span class="vh">{said}</span></span>')
    text = esc(BAND_WORDS[band.name])
    if band.red_below:
        text += _mark(gettext("red below"))
    if band.provisional:
        text += _mark(gettext("provisional"))
    if band.chance:
        said = esc(gettext("not distinguishable from chance"))
        chance = esc(gettext("chance"))
        short = f'≈ {chance}<span class="vh"> ({said})</span>'
        text += f'<small class="mark chance" title="{said}">{short}</small>'
    return safe(f'<span class="light">{shape_svg(band)}<span>{text}</span></span>')


def light(marks: int | str | Band, compact: bool = False) -> SafeString:
    """A light: packed marks of a cell, a Band, or a band's name. Compact hides the word from the eye."""
    return _light_html(current_language(), marks if isinstance(marks, (str, Band)) else int(marks), bool(compact))


# Figures


def figure(
    value: float | None, unit: str = "", decimals: int | None = None, change: str = "", base: str = "", label: str = ""
) -> SafeString:
    """A figure with its unit; its change with sign and the base named ("vs Jan-Oct 2022")."""
    text = components.number(value, decimals, current_language())
    shown = f"<b>{text}</b>" if text else f'<b class="none">{esc(BAND_WORDS["no_data"])}</b>'
    parts = [f'<small class="of">{esc(label)}</small>' if label else "", shown]
    if unit and text:
        parts.append(f" <small>{esc(unit)}</small>")
    if change:
        parts.append(f' <small class="chg"><b>{esc(change)}</b> {esc(base)}</small>')
    return safe(f'<span class="fig">{"".join(parts)}</span>')


def sparkline(values: Sequence[float | None], target: Any = None, label: str = "") -> SafeString:
    """The months as a line of 96 x 20 with its target; hidden from readers who hear the figures, unless labelled."""
    spark = components.sparkline(values, target)
    if spark is None:
        return safe("")
    heard = f'role="img" aria-label="{esc(label)}"' if label else 'aria-hidden="true" focusable="false"'
    goal = f'<path class="t" d="{spark.target}"/>' if spark.target else ""
    x, y = spark.last
    dot = f'<circle cx="{x:g}" cy="{y:g}" r="2"{"" if spark.is_current else " class=old"}/>'
    drawn = f'{goal}<path d="{spark.line}"/>{dot}'
    return safe(f'<svg class="spark" viewBox="0 0 96 20" width="96" height="20" {heard}>{drawn}</svg>')


# Scorecard


def _target(goal: float | str | None, decimals: int | None, language: str) -> str:
    return esc(goal) if isinstance(goal, str) else components.number(goal, decimals, language)


def _target_pair(value: float | None, goal: float | str | None, decimals: int | None, language: str) -> str:
    said = _target(goal, decimals, language)
    if components.is_missing(value) and not said:
        return ""
    return f"{components.number(value, decimals, language) or '–'}<small> / {said or '–'}</small>"


def _second_line(line: IndicatorLine, language: str) -> str:
    """What stands small under a name: worst child, coverage where it is not whole, the way to "why"."""
    parts = []
    if line.worst_name:
        name = esc(line.worst_name)
        linked = f'<a href="{esc(line.worst_href)}">{name}</a>' if line.worst_href else name
        parts.append(esc(gettext("worst:")) + f" {linked}")
    if not components.is_missing(line.coverage) and line.coverage < 99.95:
        count = f' title="{esc(line.coverage_note)}"' if line.coverage_note else ""
        share = components.percent(line.coverage, 0, language)
        said = esc(gettext("coverage %(share)s") % {"share": share})
        parts.append(f"<span{count}>{said}</span>")
    if line.why_href:
        asked = esc(gettext("why?"))
        parts.append(f'<a href="{esc(line.why_href)}">{asked}</a>')
    return f'<small class="sub">{" · ".join(parts)}</small>' if parts else ""


def _change(line: IndicatorLine) -> str:
    """The change, its interval on hover and focus, and the mark of one that chance alone may bring."""
    text = esc(line.change)
    if not line.change or not line.change_note:
        return text
    note = esc(line.change_note)
    mark = f'<small class="mark chance" aria-hidden="true">≈ {esc(gettext("chance"))}</small>' if line.is_chance else ""
    return f'<span class="noted" tabindex="0" data-note="{note}">{text}<span class="vh"> ({note})</span>{mark}</span>'


def indicator_row_html(line: IndicatorLine, language: str, labels: tuple[str, ...]) -> str:
    """One line of a scorecard as a table row; labels are the escaped headings that narrow screens show."""
    name = esc(line.name)
    if line.href:
        name = f'<a href="{esc(line.href)}">{name}</a>'
    code = f'<span class="code">{esc(line.code)}</span> ' if line.code else ""
    unit = f' <small class="unit">{esc(line.unit)}</small>' if line.unit else ""
    attained = components.number(line.attainment, 1, language)
    target = _target(line.target, line.decimals, language)
    value = components.number(line.value, line.decimals, language)
    of_month = "" if line.month_marks is None else f"{light(line.month_marks, True)} "
    of_year = "" if line.to_date_marks is None else f"{light(line.to_date_marks, True)} "
    basis = f'<small class="mark">{esc(line.light_note)}</small>' if line.light_note else ""
    to_date = _target_pair(line.to_date, line.to_date_target, line.decimals, language)
    note = f'<small class="sub">{esc(line.to_date_note)}</small>' if line.to_date_note else ""
    spark = sparkline(line.spark, line.spark_target) if line.spark else ""
    return (
        f'<tr><th scope="row">{code}{name}{unit}{_second_line(line, language)}</th>'
        f'<td class="n v" data-l="{labels[0]}">{of_month}{value}</td>'
        f'<td class="n" data-l="{labels[1]}">{target}</td>'
        f'<td class="n" data-l="{labels[2]}">{attained}</td>'
        f'<td class="key">{light(line.marks)}{basis}</td><td class="sp">{spark}</td>'
        f'<td class="n" data-l="{labels[5]}">{of_year}{to_date}{note}</td>'
        f'<td class="n hide">{_change(line)}</td></tr>'
    )


def _objective_row(objective: ObjectiveLine, language: str) -> str:
    name = esc(objective.name)
    if objective.href:
        name = f'<a href="{esc(objective.href)}">{name}</a>'
    code = f'<span class="code">{esc(objective.code)}</span> ' if objective.code else ""
    weight = ""
    if not components.is_missing(objective.weight):
        said = esc(gettext("weight %(share)s") % {"share": components.percent(objective.weight, 0, language)})
        weight = f' <small class="unit">{said}</small>'
    score = components.number(objective.score, 1, language)
    return (
        f'<tr class="obj"><th scope="rowgroup" colspan="3">{code}{name}{weight}</th>'
        f'<td class="n">{score}</td><td class="key">{light(objective.marks)}</td>'
        f'<td colspan="3" class="fill"></td></tr>'
    )


def indicator_row(line: IndicatorLine, change_base: str = "") -> SafeString:
    """One scorecard row on its own, to be swapped in where a figure has moved."""
    return safe(indicator_row_html(line, current_language(), _row_labels(change_base)))


def _row_labels(change_base: str) -> tuple[str, ...]:
    return tuple(
        esc(text)
        for text in (
            pgettext("figure", "Value"),
            gettext("Target"),
            gettext("Attained, %"),
            gettext("To date / target"),
            change_base or gettext("Change"),
            gettext("To date"),
        )
    )


def scorecard_table(objectives: Iterable[ObjectiveLine], caption: str, change_base: str = "") -> SafeString:
    """Objectives with their indicator lines; change_base names what change is against ("vs Oct 2022")."""
    language, labels = current_language(), _row_labels(change_base)
    bodies = []
    for objective in objectives:
        rows = "".join([indicator_row_html(line, language, labels) for line in objective.lines])
        bodies.append(f"<tbody>{_objective_row(objective, language)}{rows}</tbody>")
    value, target, attained, to_date, changed, _narrow = labels
    first, lights, months = (
        esc(text) for text in (gettext("Objective / indicator"), gettext("Light"), gettext("12 months"))
    )
    head = (
        f'<th scope="col">{first}</th><th scope="col" class="n">{value}</th>'
        f'<th scope="col" class="n">{target}</th><th scope="col" class="n">{attained}</th>'
        f'<th scope="col">{lights}</th><th scope="col">{months}</th>'
        f'<th scope="col" class="n">{to_date}</th><th scope="col" class="n">{changed}</th>'
    )
    return safe(
        f'<table class="t card"><caption class="vh">{esc(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"{''.join(bodies)}</table>"
    )
