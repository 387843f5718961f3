"""Settings from a TOML file, the environment and flags; each value is checked with its source, so that an error can name it.

The variable of a setting is `HONGYAN_` and its dotted name in capitals, with `_` for the dot: `http.listen` is
HONGYAN_HTTP_LISTEN. In a variable a list is separated by commas, and an empty text unsets what can be unset.
"""

import difflib
import ipaddress
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from hongyan import finding
from hongyan.config.endpoint import is_host, parse_endpoint
from hongyan.config.settings import Settings
from hongyan.finding import parse_name_server

_ORIGIN = re.compile(r"https?://[A-Za-z0-9._\-:\[\]]+")
_CONTACT = re.compile(r"(abuse|admin|feedback|sales|security|status|support)=[a-z]+:[^\s\x00-\x1f]{1,500}")
_SERVICE = re.compile(r"(stun|turn)s?:([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
_ENVELOPE = 2_048
"""Bytes around a content in a frame or a body: ids, names of members, the client_id."""


class SettingsError(ValueError):
    """A setting that cannot be used. The text names it, where it came from, and what it should be."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "HONGYAN_" + name.replace(".", "_").upper()


def load(
    file: Path | None = None, environment: Mapping[str, str] | None = None, flags: Mapping[str, str | None] | None = None
) -> Settings:
    """Defaults, then `file`, `environment`, `flags` (dotted name to text; None: not given). Raises SettingsError."""
    leaves = dict(_leaves(Settings))
    chosen: dict[str, tuple[Any, str]] = {}
    if file is not None:
        for name, value in _read(file, leaves):
            chosen[name] = _convert(name, value, leaves[name], str(file), strict=True), str(file)
    for name, text, source in _texts(leaves, environment or {}, flags or {}):
        chosen[name] = _convert(name, _split(text, leaves[name]), leaves[name], source, strict=False), source
    settings: Settings = _build(Settings, {name: value for name, (value, _) in chosen.items()})
    for name, sentence in _conflicts(settings):
        raise SettingsError(f"{name} ({chosen[name][1] if name in chosen else 'default'}): {sentence}")
    return settings


def _leaves(branch: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and type of every setting."""
    for field in msgspec.structs.fields(branch):
        if _is_branch(field.type):
            yield from _leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field.type


def _is_branch(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _build(branch: type[msgspec.Struct], values: Mapping[str, Any], prefix: str = "") -> Any:
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(branch):
        if _is_branch(field.type):
            given[field.name] = _build(field.type, values, f"{prefix}{field.name}.")
        elif prefix + field.name in values:
            given[field.name] = values[prefix + field.name]
    return branch(**given)


def _read(file: Path, leaves: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} is not TOML: {error}") from error
    yield from _walk(table, "", str(file), leaves)


def _walk(table: Mapping[str, Any], prefix: str, source: str, leaves: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = prefix + key
        if name in leaves:
            yield name, value
        elif not any(known.startswith(name + ".") for known in leaves):
            raise SettingsError(f"{name} ({source}): there is no such setting{_nearest(name, leaves)}")
        elif isinstance(value, dict):
            yield from _walk(value, name + ".", source, leaves)
        else:
            raise SettingsError(f"{name} ({source}): expected a table [{name}], not {value!r}")


def _texts(
    leaves: Mapping[str, Any], environment: Mapping[str, str], flags: Mapping[str, str | None]
) -> Iterator[tuple[str, str, str]]:
    """Name, text and source of what comes as text, the stronger last."""
    known = {variable(name): name for name in leaves}
    branches = tuple({variable(name.partition(".")[0]) + "_" for name in leaves if "." in name})
    for key, text in sorted(environment.items()):
        if key in known:
            yield known[key], text, f"variable {key}"
        elif key.startswith(branches):  # others may be somebody else's, `hongyan chat --on-message` sets some
            raise SettingsError(f"{key}: there is no such setting{_nearest(key, known)}")
    for name, given in flags.items():
        if given is not None:
            yield name, given, "command line"


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]}?" if found else "; docs/reference/settings.md lists them all"


def _split(text: str, kind: Any) -> Any:
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return None if not text and type(None) in get_args(kind) else text


def _convert(name: str, value: Any, kind: Any, source: str, *, strict: bool) -> Any:
    try:
        found = msgspec.convert(value, kind, strict=strict, dec_hook=_path)
    except (msgspec.ValidationError, ValueError) as error:
        wanted = str(error)
        if get_origin(kind) is Literal:
            wanted = f"expected one of {', '.join(get_args(kind))}"
        raise SettingsError(f"{name} ({source}): {wanted[:1].lower()}{wanted[1:].replace('`', '')}, not {value!r}") from None
    if isinstance(found, float) and not math.isfinite(found):
        raise SettingsError(f"{name} ({source}): expected a finite number, not {value!r}")
    return found


def _path(kind: type, value: Any) -> Any:
    if kind is not Path or not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("Expected the path of a file or directory")
    return Path(value).expanduser()


def _conflicts(settings: Settings) -> Iterator[tuple[str, str]]:
    """What the types cannot say: the name of the setting and a sentence."""
    http, limits = settings.http, settings.limits
    yield from _cluster(settings)
    cim = settings.cim
    for name, endpoint in (
        ("http.listen", http.listen),
        ("node.address", settings.node.address or None),
        ("cim.listen", cim.listen or None),
        ("cim.route", cim.route),
        ("cim.address", cim.address or None),
        ("cim.route_address", cim.route_address or None),
        ("xmpp.c2s", settings.xmpp.c2s or None),
        ("xmpp.c2s_tls", settings.xmpp.c2s_tls or None),
        ("xmpp.s2s", settings.xmpp.s2s or None),
    ):
        try:
            if endpoint is not None:
                parse_endpoint(endpoint)
        except ValueError as error:
            yield name, str(error)
    for branch, files in (("http", http), ("xmpp", settings.xmpp)):
        if (files.certificate is None) != (files.key is None):
            given, missing = ("certificate", "key") if files.key is None else ("key", "certificate")
            yield f"{branch}.{given}", f"for TLS {branch}.{missing} is needed too"
    if http.url and not (http.url.startswith(("http://", "https://")) and _ORIGIN.fullmatch(http.url)):
        yield "http.url", f"expected https://HOST or https://HOST:PORT without a path, not {http.url!r}"
    listed = [("http.origins", one) for one in http.origins] + [("embed.origins", one) for one in settings.embed.origins]
    for name, origin in listed:
        if not _ORIGIN.fullmatch(origin):
            yield name, f"expected SCHEME://HOST or SCHEME://HOST:PORT without a path, not {origin!r}"
    for proxy in http.trusted_proxies:
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            yield "http.trusted_proxies", f"expected addresses or networks such as 10.0.0.0/8, not {proxy!r}"
    for contact in settings.xmpp.contacts:
        if not _CONTACT.fullmatch(contact):
            yield "xmpp.contacts", f"expected KIND=ADDRESS such as abuse=mailto:abuse@example.org, not {contact!r}"
    for service in settings.xmpp.services:
        if not _SERVICE.fullmatch(service):
            yield "xmpp.services", f"expected turn:HOST:PORT?transport=udp or the like, not {service!r}"
    for name, domains in (("xmpp.s2s_allow", settings.xmpp.s2s_allow), ("xmpp.s2s_deny", settings.xmpp.s2s_deny)):
        for domain in domains:
            if not is_host(domain) or domain != domain.lower():
                yield name, f"expected domain names in lower case, not {domain!r}"
    rooms, upload = settings.xmpp.rooms, settings.xmpp.upload
    for name, label in (("xmpp.rooms", rooms), *([("xmpp.upload", upload)] if upload else [])):
        if not is_host(label) or label != label.lower():
            yield name, f"expected a label of a domain name in lower case, not {label!r}"
    if upload == rooms:
        yield "xmpp.upload", f"rooms have the address {rooms!r} already"
    if not is_host(settings.domain) or settings.domain != settings.domain.lower():
        yield "domain", f"expected a domain name in lower case, not {settings.domain!r}"
    if settings.dns.server is not None:
        try:
            parse_name_server(settings.dns.server)
        except ValueError as error:
            yield "dns.server", str(error)
    for name, room in (("http.max_body", http.max_body), ("limits.frame_bytes", limits.frame_bytes)):
        if room < limits.message_bytes + _ENVELOPE:
            needed = limits.message_bytes + _ENVELOPE
            yield name, f"a message of limits.message_bytes must fit into it: at least {needed}, not {room}"


def _cluster(settings: Settings) -> Iterator[tuple[str, str]]:
    """Several nodes need a store that they share, and a bus."""
    if not settings.shares_store and settings.store not in ("sqlite", "sqlite:", "sqlite://"):
        yield "store", "expected sqlite: (a file in the data directory) or postgresql://USER@HOST:PORT/DATABASE"
    if not settings.has_bus and settings.bus not in ("local", "local:"):
        yield "bus", "expected local: (one node alone) or nats://HOST:PORT"
    if settings.has_bus:
        try:
            finding.check(settings.bus)
        except ValueError as error:
            yield "bus", str(error)
    if settings.has_bus and not settings.shares_store:
        yield "bus", "a bus joins nodes that share a store: give store = postgresql://... too"
    if settings.node.workers > 1 and not (settings.shares_store and settings.has_bus):
        yield (
            "node.workers",
            "several processes need a shared store and a bus: give store = postgresql://... and bus = nats://...",
        )
