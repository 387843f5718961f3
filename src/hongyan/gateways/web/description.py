"""The description of the API (OpenAPI 3.1): what Litestar derives from the types, the event routes that are not Litestar's,
and the errors that each operation answers.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar

from hongyan.gateways.web import access
from hongyan.gateways.web.problems import MEDIA_TYPE, Problem
from hongyan.gateways.web.schemas import BODIES, QUERIES, Events, History

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_ABOUT = (
    "Everything but log-in, health and metrics needs the header `Authorization: Bearer TOKEN`. "
    "Live events also come over a WebSocket at `/v1/events/ws`, which this description cannot express: "
    "see the documentation of the wire protocol."
)
_WORDS = {
    "400": "A field is missing, of the wrong type or out of its range",
    "401": "There is no token, or it has ended",
    "403": "The caller may not do this, or the origin of the page is not allowed",
    "404": "There is no such thing, or the caller may not see it",
    "409": "It does not fit what is there already",
    "413": "Larger than allowed",
    "429": "Too many requests",
    "503": "The server cannot do it now",
    "default": "Any other error",
}
_CONFLICTS = frozenset(
    {
        "create_conversation",
        "add_members",
        "set_role",
        "remove_member",
        "send_message",
        "issue_token",
        "act",
        "join_channel",
        "own",
        "make_timer",
        "allow_watcher",
    }
)
_NAMES_OTHERS = frozenset({"create_conversation", "own", "make_timer", "push", "subscribe_push", "embed", "begin_embedded"})
"""They name people or conversations in the body, or something that may be switched off."""


def describe(rest: Litestar) -> bytes:
    """The JSON that is served as `/openapi.json`."""
    document = msgspec.json.decode(msgspec.json.encode(rest.openapi_schema.to_schema()))
    document["info"]["description"] = _ABOUT
    components = document["components"]
    # What msgspec itself tells of its types has the bounds inside lists too, which Litestar leaves out.
    _, exact = msgspec.json.schema_components([*BODIES, Events, History, Problem], ref_template=_REF)
    components["schemas"].update(exact)
    components["schemas"]["SettingsBody"]["anyOf"] = [{"required": [name]} for name in ("title", "topic", "history", "writers")]
    components["schemas"]["TimerBody"]["anyOf"] = [{"required": ["due"]}, {"required": ["content"]}, {"required": ["note"]}]
    components["schemas"]["TimerView"]["properties"]["content"] = {"type": "object"}
    components["schemas"]["WireEvent"]["properties"]["content"] = {"type": "object"}
    components["responses"] = {f"Problem{code}": _problem(words) for code, words in _WORDS.items()}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"bearer": []}]
    document["paths"].update(_event_paths())
    pictures = {f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("png", "jpeg", "webp")}
    document["paths"]["/v1/me/avatar"]["put"]["requestBody"] = {"content": pictures, "required": True}
    for path, operation in _operations(document):
        operation.pop("summary", None)  # the name of a function
        if operation["operationId"] in QUERIES:
            operation["parameters"] = operation.get("parameters", []) + _query(QUERIES[operation["operationId"]])
        _add_errors(path, operation)
        if path in access.OPEN:
            operation["security"] = []
    return msgspec.json.encode(document)


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _add_errors(path: str, operation: Json) -> None:
    answers: Json = operation["responses"]
    answers.pop("400", None)  # Litestar's own form of an error, which nobody gets
    name = operation["operationId"]
    codes = {"403", "429", "503", "default"}
    if path not in access.OPEN or name == "login":
        codes.add("401")
    if "requestBody" in operation:
        codes |= {"400", "413"}
    if operation.get("parameters"):
        codes.add("400")
    if "{" in path or name in _NAMES_OTHERS:
        codes.add("404")
    if name in _CONFLICTS:
        codes.add("409")
    for code in sorted(codes):
        answers.setdefault(code, {"$ref": f"#/components/responses/Problem{code}"})


def _problem(words: str) -> Json:
    return {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}}


def _event_paths() -> Json:
    answer = {"application/json": {"schema": {"$ref": _REF.format(name="Events")}}}
    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    last_id = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}
    poll = _operation("poll", "Events after a cursor, at once or within `wait` seconds", [], answer)
    follow = _operation("event_stream", "Events as they happen (server-sent events)", [last_id], stream)
    return {access.POLL: {"get": poll}, access.EVENT_STREAM: {"get": follow}}


def _operation(id: str, words: str, parameters: list[Json], content: Json) -> Json:
    answers = {"200": {"description": "Events", "content": content}}
    return {"operationId": id, "tags": ["events"], "description": words, "parameters": parameters, "responses": answers}


def _query(kind: type[msgspec.Struct]) -> list[Json]:
    """The fields of a query as parameters."""
    _, components = msgspec.json.schema_components([kind])
    fields = components[kind.__name__]["properties"]
    needed = components[kind.__name__].get("required", [])
    return [{"name": name, "in": "query", "required": name in needed, "schema": schema} for name, schema in fields.items()]
