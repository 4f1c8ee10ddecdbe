"""What is sent, for the OpenAPI schema: bodies as the decoders read them, answers with the names of all rules.

The views that take bodies are plain ones; their shapes are read from what decodes them, so that neither can drift.
"""

import msgspec

from incidents.feed import laid_out
from incidents.feed import rules as of_events
from incidents.feed.items import Item
from incidents.feed.outcome import RESULTS as EVENT_RESULTS
from incidents.models import JobState
from indicators.sent import rules as of_figures
from indicators.sent import take
from indicators.sent.rows import Columns, Row

ITEM = {
    "external_id": "2024-000123",
    "category": "HOMICIDE.MURDER",
    "occurred": "2024-11-20T14:05:00-05:00",
    "place": "09D01C01S01",
    "victims": [{"age": 30}],
}
FIGURE = {"month": "2024-10", "indicator": "PN.PATROLS", "unit": "PN-01D01C01", "numerator": 12}
STATUSES = {
    "400": "The body or a parameter cannot be read.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": "The account is not an integrator, or speaks for another institution.",
    "413": "The body, or the number of its rows, is larger than the limit.",
    "415": "This kind of body is not taken.",
    "422": "The Idempotency-Key came with another request before.",
    "429": "The account's requests of this minute are used up.",
}


def add_sent(result, generator, request, public):
    """The hook of drf-spectacular: adds what plain views take and answer."""
    result["components"].setdefault("schemas", {}).update(_schemas())
    paths = result["paths"]
    paths.setdefault("/api/v1/incidents", {})["post"] = _incidents()
    paths.setdefault("/api/v1/measurements", {})["post"] = _measurements()
    paths["/api/v1/jobs/{id}"] = {"get": _job()}
    result["paths"] = dict(sorted(paths.items()))
    return result


def _schemas():
    names = {"Item": "IncidentItem", "Row": "FigureRow", "Columns": "FigureColumns"}
    _, made = msgspec.json.schema_components([Item, Row, Columns], ref_template="#/components/schemas/{name}")
    made = {names[name]: schema | {"title": names[name]} for name, schema in made.items()}
    of_item = {"external_id": _text("As it was sent."), "flags": _list(_enum(of_events.FLAGGED))}
    of_item |= {"row": _int("With `layout`: the row, or the line of a table.")}
    of_row = {"status": {"type": "integer", "enum": [409, 422]}, "held": _held()}
    made["IncidentsAnswer"] = _answer(EVENT_RESULTS, of_events.REFUSED, of_item)
    made["FiguresAnswer"] = _answer(take.RESULTS, of_figures.REFUSED | of_figures.CONFLICT, of_row)
    made["Accepted"] = _object({"job": _text("Address of the job."), "state": _enum(JobState.values)})
    made["Accepted"]["properties"]["cut"] = _cut()
    made["Job"] = _object(
        {
            "id": {"type": "string", "format": "uuid"},
            "state": _enum(JobState.values),
            "accepted_at": _instant(),
            "started_at": _instant(nullable=True),
            "finished_at": _instant(nullable=True),
            "items": {"type": ["integer", "null"]},
            "done": _int("Items taken so far."),
            "report": {"type": "object", "description": "Counts, and the items that were refused or flagged."},
        }
    )
    return made


def _answer(results, rules, more):
    error = _object({"field": _text(), "rule": _enum(rules), "message": _text()})
    error["properties"]["column"] = _text("With `layout`: the source's own name of the field.")
    item = _object({"index": _int("Which of the body, from 0."), "result": _enum(results)})
    item["properties"] |= {"errors": _list(error), **more}
    said = _object({**{name: _int() for name in results}, "items": _list(item)})
    said["properties"] |= {"dry_run": {"type": "boolean"}, "cut": _cut()}
    return said


def _cut():
    return _object({"item": _int(), "rule": _enum(["body_cut"]), "message": _text()})


def _held():
    number = {"type": ["number", "null"]}
    held = _object({"numerator": number, "denominator": number, "state": _enum(take.STATES), "recorded_at": _instant()})
    return held | {"type": ["object", "null"], "description": "Of a conflict: the figure that stands there."}


def _incidents():
    one = {"$ref": "#/components/schemas/IncidentItem"}
    wrapped = _object({"incidents": _list(one)})
    layout = {
        "name": "layout",
        "in": "query",
        "schema": _enum(laid_out.names()),
        "description": "The body is in the columns of this layout.",
    }
    words = (
        "Events of the account's institution: created, updated, reclassified or retracted by their external_id. Good"
        " items are taken whatever is wrong with others. A large body is answered with a job."
    )
    return _operation(
        "incidents_create", "incidents", words, [one, _list(one), wrapped], ITEM, "IncidentsAnswer", [layout]
    )


def _measurements():
    one = {"$ref": "#/components/schemas/FigureRow"}
    columns = _object({"columns": {"$ref": "#/components/schemas/FigureColumns"}})
    words = (
        "Figures of units of the account's institution, provisional until they are approved. Good rows are taken"
        " whatever is wrong with others. A row with `if_recorded_at` is a conflict where another figure stands."
    )
    kinds = [one, _list(one), _object({"items": _list(one)}), columns]
    return _operation("measurements_create", "measurements", words, kinds, FIGURE, "FiguresAnswer")


def _operation(operation_id, tag, words, kinds, example, answer, parameters=()):
    table = ",".join(example) + "\n"
    content = {
        "application/json": {"schema": {"oneOf": kinds}, "example": [example]},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": msgspec.json.encode(example).decode()},
        "text/csv": {"schema": {"type": "string"}, "example": table},
    }
    taken = {
        "description": "What came of each.",
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}},
    }
    responses = {"200": taken}
    if answer == "IncidentsAnswer":
        responses["202"] = {
            "description": "Kept for a worker: ask the job.",
            "headers": {"Location": {"schema": {"type": "string"}, "description": "Address of the job."}},
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}},
        }
    return {
        "operationId": operation_id,
        "description": words,
        "tags": [tag],
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "The same key gets the first answer again for 48 hours, and nothing is done.",
            },
            {
                "name": "dry_run",
                "in": "query",
                "schema": _enum(["0", "1"]),
                "description": "1: say what would come of it, and keep nothing.",
            },
            *parameters,
        ],
        "requestBody": {"required": True, "content": content},
        "security": [{"bearer": []}],
        "responses": responses | _problems(STATUSES),
    }


def _job():
    return {
        "operationId": "jobs_retrieve",
        "description": "How far a large body is that was answered with 202, and what came of its items.",
        "tags": ["jobs"],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}],
        "security": [{"bearer": []}],
        "responses": {
            "200": {
                "description": "The job.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}},
            },
            **_problems(
                {
                    "401": STATUSES["401"],
                    "403": "The account does not operate the feeds of the institution.",
                    "404": "There is no such job in an institution that the account sees.",
                }
            ),
        },
    }


def _problems(statuses):
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": words, "content": content} for status, words in statuses.items()}


def _object(properties):
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items):
    return {"type": "array", "items": items}


def _enum(names):
    return {"type": "string", "enum": list(names)}


def _described(schema, words):
    return schema | {"description": words} if words else schema


def _text(words=""):
    return _described({"type": "string"}, words)


def _int(words=""):
    return _described({"type": "integer"}, words)


def _instant(*, nullable=False):
    return {"type": ["string", "null"] if nullable else "string", "format": "date-time"}
