"""What the OpenAPI schema says beside what DRF's views say of themselves: how one signs in, what problems look like."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension

RATE = {
    "RateLimit-Limit": "Requests a minute that the account may make.",
    "RateLimit-Remaining": "Requests left in this minute.",
    "RateLimit-Reset": "Seconds to the end of the minute.",
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `rule` names what was broken; `title` and `detail` say it in the asker's language.",
    "required": ["type", "title", "status", "detail", "rule"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "rule": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Of `invalid_parameter`: which parameters, and why.",
            "items": {"type": "object", "properties": {"field": {"type": "string"}, "message": {"type": "string"}}},
        },
    },
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "units.api.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "Token of a service account."}


def add_problems(result, generator, request, public):
    """Every address may answer with a problem, and says how much of the limit is left."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "A problem.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    headers = {name: {"schema": {"type": "integer"}, "description": words} for name, words in RATE.items()}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = answer
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    response["headers"] = headers
    return result
