"""docs/reference/settings.md names every setting of hongyan.config with its default, and no other."""

import dataclasses
import enum
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from hongyan import config
from tests.docs.pages import code, rows


def _fields(value: Any) -> dict[str, Any] | None:
    """The members of one branch of the settings tree; None when `value` is a leaf."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _shown(value: Any) -> str:
    """A default as it would stand in the TOML file; `unset` where there is none."""
    if value is None:
        return "unset"
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, (tuple, set, frozenset)):
        value = sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    fields = _fields(value)
    if fields is None:
        yield prefix, _shown(value)
    else:
        for name, member in fields.items():
            yield from _leaves(member, f"{prefix}.{name}" if prefix else name)


def declared() -> dict[str, str]:
    """Dotted name to default of every setting of an untouched tree."""
    return dict(_leaves(config.Settings()))


def test_page_lists_exactly_the_settings_with_their_defaults() -> None:
    page = {code(row[0]): code(row[1]) for row in rows("settings.md")}
    wanted = declared()
    missing = [f"| `{name}` | `{default}` | |" for name, default in wanted.items() if page.get(name) != default]
    gone = sorted(page.keys() - wanted.keys())
    assert not missing, "rows to add or correct in docs/reference/settings.md:\n" + "\n".join(missing)
    assert not gone, f"docs/reference/settings.md names settings that do not exist: {gone}"


def test_each_setting_is_listed_once_with_a_meaning() -> None:
    names = [code(row[0]) for row in rows("settings.md")]
    assert len(names) == len(set(names))
    assert [row[0] for row in rows("settings.md") if not row[2]] == []
