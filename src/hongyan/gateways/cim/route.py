"""The route: what CIM clients ask over HTTP. Each call is one small function; who may speak for whom is the feature's to say."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec

from hongyan.core.errors import HongyanError
from hongyan.features.cim import LoginRefused, NotTrusted
from hongyan.gateways.cim.answers import (
    FAILURE,
    FETCH_FAILED,
    INVALID,
    MISMATCH,
    NO_NODE,
    OFFLINE,
    REPEATED,
    SUCCESS,
    Answer,
    envelope,
    refusal,
)
from hongyan.gateways.cim.choosing import Choosing
from hongyan.gateways.cim.house import House
from hongyan.gateways.door.peers import site

log = logging.getLogger("hongyan.cim")

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,512}) *", re.ASCII | re.IGNORECASE)
_TEXTS = 100
"""That one call may send."""
_REQUEST_NUMBER = 64

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Request(msgspec.Struct, frozen=True):
    """What came, whole."""

    method: str
    path: str
    authorization: str | None
    body: bytes
    address: str
    """Where it comes from."""
    reached: str
    """The address of this machine that it came to."""


class _Any(msgspec.Struct):
    reqNo: Any = None


class _Register(msgspec.Struct):
    userName: str


class _Login(msgspec.Struct):
    userId: Number
    userName: str


class _Group(msgspec.Struct):
    userId: Number
    msg: str


class _Person(msgspec.Struct):
    userId: Number
    receiveUserId: Number
    msg: str | None = None
    batchMsg: list[str] | None = None


class _Offline(msgspec.Struct):
    userId: Number


class _Fetch(msgspec.Struct):
    receiveUserId: Number


class Route:
    def __init__(self, house: House, choosing: Choosing) -> None:
        self._house = house
        self._cim = house.cim
        self._choosing = choosing
        self._calls: dict[str, tuple[type[msgspec.Struct], Callable[[Any, Request, str | None], Awaitable[Answer]]]] = {
            "/registerAccount": (_Register, self._register),
            "/login": (_Login, self._login),
            "/groupRoute": (_Group, self._group),
            "/p2pRoute": (_Person, self._person),
            "/offLine": (_Offline, self._offline),
            "/fetchOfflineMsgs": (_Fetch, self._fetch),
            "/onlineUser": (_Any, self._online),
        }

    async def answer(self, request: Request) -> tuple[int, bytes]:
        """Status and body. What a client can do wrong in a call is a code in the body; the status is for what is no call."""
        given, number = _read(request.body, _Any), None
        if isinstance(given, _Any) and isinstance(given.reqNo, str | int):
            number = str(given.reqNo)[:_REQUEST_NUMBER]
        path = "/" + request.path.partition("?")[0].strip("/")
        status = 200
        if path not in self._calls:
            status, answer = 404, Answer(INVALID, message=f"There is no call of this name; there are {', '.join(self._calls)}")
        elif request.method != "POST" and not (request.method == "GET" and path == "/onlineUser"):
            status, answer = 405, Answer(INVALID, message=f"{path} is called with POST")
        else:
            answer = await self._call(path, request)
        self._house.counts.answers[answer.code] += 1
        return status, envelope(answer, number)

    async def _call(self, path: str, request: Request) -> Answer:
        kind, call = self._calls[path]
        read = _read(request.body, kind) if request.method == "POST" else kind()
        if isinstance(read, str):
            return Answer(INVALID, message=read)
        try:
            token = _token(request.authorization)
            speaks = getattr(read, "userId", None)
            if speaks is None or path == "/login" or not self._cim.is_here(speaks, request.address):
                self._house.sites.spend(site(request.address))
            return await call(read, request, token)
        except LoginRefused as refused:
            log.info("CIM %s from %s refused: %s", path, request.address, refused)
            return Answer(REPEATED if refused.reason == "repeated" else MISMATCH)
        except NotTrusted as refused:
            log.warning("CIM %s from %s refused: %s", path, request.address, refused)
            return Answer(MISMATCH)
        except HongyanError as error:
            return refusal(error)
        except Exception:
            log.exception("CIM %s failed", path)
            return Answer(FAILURE)

    async def _register(self, read: _Register, request: Request, token: str | None) -> Answer:
        number = await self._cim.register(read.userName)
        return Answer(SUCCESS, {"userId": number, "userName": read.userName})

    async def _login(self, read: _Login, request: Request, token: str | None) -> Answer:
        await self._cim.may_log_in(read.userId, read.userName)
        node = await self._choosing.choose(str(read.userId), request.reached)
        if node is None:
            return Answer(NO_NODE)
        return Answer(SUCCESS, {"ip": node.tcp.host, "cimServerPort": node.tcp.port, "httpPort": node.route.port})

    async def _group(self, read: _Group, request: Request, token: str | None) -> Answer:
        caller = await self._cim.caller(read.userId, request.address, token)
        await self._cim.to_group(caller, [read.msg])
        return Answer()

    async def _person(self, read: _Person, request: Request, token: str | None) -> Answer:
        caller = await self._cim.caller(read.userId, request.address, token)
        texts = [*([read.msg] if read.msg else []), *(read.batchMsg or [])]
        if not texts or len(texts) > _TEXTS:
            return Answer(INVALID, message=f"Give msg, or batchMsg with up to {_TEXTS} texts")
        there = await self._cim.to_person(caller, read.receiveUserId, texts)
        return Answer(SUCCESS if there else OFFLINE)

    async def _offline(self, read: _Offline, request: Request, token: str | None) -> Answer:
        await self._cim.log_out(read.userId, request.address, token)
        return Answer()

    async def _fetch(self, read: _Fetch, request: Request, token: str | None) -> Answer:
        account = await self._cim.speaker(read.receiveUserId, request.address, token)
        try:
            there = await self._cim.fetch(account)
        except HongyanError as error:
            return Answer(FETCH_FAILED, message=error.detail)
        return Answer(SUCCESS if there else OFFLINE)

    async def _online(self, read: _Any, request: Request, token: str | None) -> Answer:
        if not await self._cim.known_address(request.address, token):
            raise NotTrusted("nobody is logged in from there")
        return Answer(SUCCESS, [{"userId": one.number, "userName": one.name} for one in await self._cim.online()])


def _read(body: bytes, kind: type[msgspec.Struct]) -> Any:
    """A `kind`, or a sentence on what is wrong with it. Numbers may be texts, and what is not known is ignored."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind, strict=False)
    except msgspec.ValidationError as error:
        return f"The body: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "The body is not JSON in UTF-8"


def _token(authorization: str | None) -> str | None:
    """Raises NotTrusted for a header of another form."""
    if authorization is None:
        return None
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise NotTrusted("the Authorization header has the form: Bearer TOKEN")
    return match[1]
