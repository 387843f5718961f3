"""/openapi.json says what the wire protocol promises, and what is really answered."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.gateways.web.webhouse import WebHouse

PROTOCOL = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.fixture
async def document(web: WebHouse) -> dict[str, Any]:
    answer = await web.call(None, "GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_openapi_3_1_with_bearer_tokens(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Hongyan"
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_every_call_of_the_protocol_is_described(document: dict[str, Any]) -> None:
    promised = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`?\s]+)", PROTOCOL)) - {("GET", "/v1/events/ws")}
    assert len(promised) > 20
    described = {(method.upper(), _shape(path)) for path, item in document["paths"].items() for method in item}
    assert {(method, _shape(path)) for method, path in promised} <= described


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(_references(document))
    assert len(found) > 20
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [one for child in node.values() for one in _references(child)]
    return [one for child in node for one in _references(child)] if isinstance(node, list) else []


def test_errors_are_problem_documents_everywhere(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            answers = operation["responses"]
            assert {"403", "429", "503", "default"} <= set(answers)
            assert ("401" in answers) == (path not in ("/health", "/metrics")), path
            assert ("404" in answers) >= ("{" in path)
            assert ({"400", "413"} <= set(answers)) >= ("requestBody" in operation)
            assert (operation.get("security") == []) == (path in ("/v1/login", "/health", "/metrics"))
    problem = document["components"]["responses"]["Problem404"]["content"]
    assert set(problem) == {"application/problem+json"}


def test_operations_have_names_and_sentences(document: dict[str, Any]) -> None:
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["description"] and operation["tags"] for operation in operations)


def test_bounds_of_numbers_are_told(document: dict[str, Any]) -> None:
    def parameter(path: str, name: str) -> dict[str, Any]:
        (found,) = [one for one in document["paths"][path]["get"]["parameters"] if one["name"] == name]
        schema: dict[str, Any] = found["schema"]
        return schema

    for path in ("/v1/events", "/v1/users", "/v1/conversations/{conversation}/events"):
        schema = parameter(path, "limit")
        assert (schema["type"], schema["minimum"], schema["maximum"], schema["default"]) == ("integer", 1, 1_000, 100)
    before = parameter("/v1/conversations/{conversation}/events", "before")
    assert (before["type"], before["minimum"], before["maximum"]) == ("integer", 0, 2**53 - 1)
