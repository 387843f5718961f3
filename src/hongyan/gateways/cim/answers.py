"""The envelope of the route's answers, and its codes."""

from typing import Any, Literal

import msgspec

from hongyan.core.errors import (
    Forbidden,
    HongyanError,
    Invalid,
    NoNode,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    TooLarge,
)

Code = Literal["9000", "8000", "3000", "4000", "5000", "6000", "7000", "7100", "9100", "9201"]
SUCCESS: Code = "9000"
FALLBACK: Code = "8000"
INVALID: Code = "3000"
FAILURE: Code = "4000"
REPEATED: Code = "5000"
LIMITED: Code = "6000"
OFFLINE: Code = "7000"
NO_NODE: Code = "7100"
MISMATCH: Code = "9100"
FETCH_FAILED: Code = "9201"

SENTENCES: dict[Code, str] = {
    SUCCESS: "Done",
    FALLBACK: "The server cannot do that now; try again in a moment",
    INVALID: "The request is not valid",
    FAILURE: "That did not work",
    REPEATED: "This account is logged in already: log it out first",
    LIMITED: "Too many requests; wait a little",
    OFFLINE: "The receiver is not there; the message is kept for them",
    NO_NODE: "No server takes clients now; try again later",
    MISMATCH: "The number, the name and the place you call from do not belong together",
    FETCH_FAILED: "What was missed cannot be read now",
}


class Answer(msgspec.Struct, frozen=True):
    """What a call gives; the message is the code's sentence unless there is a better one."""

    code: Code = SUCCESS
    body: Any = None
    message: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    code: Code
    message: str
    reqNo: str | None
    dataBody: Any


_encode = msgspec.json.Encoder().encode


def envelope(answer: Answer, request_number: str | None) -> bytes:
    """The JSON of an answer."""
    return _encode(_Envelope(answer.code, answer.message or SENTENCES[answer.code], request_number, answer.body))


def refusal(error: HongyanError) -> Answer:
    """What an error of the services is called here."""
    match error:
        case RateLimited():
            return Answer(LIMITED)
        case Invalid() | TooLarge() | NotFound():
            return Answer(INVALID, message=error.detail)
        case NoNode():
            return Answer(NO_NODE)
        case Overloaded() | StoreUnavailable() | OutcomeUnknown():
            return Answer(FALLBACK)
        case Forbidden():
            return Answer(FAILURE, message=error.detail)
    return Answer(FAILURE)
