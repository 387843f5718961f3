"""Both languages say everything, with the same blanks to fill in."""

from string import Formatter

import pytest

from hongyan.client.terminal.chat import _HELP
from hongyan.client.terminal.commands import NAMES
from hongyan.client.terminal.words import Words, keys, language


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_neither_language_lacks_a_sentence() -> None:
    assert keys("zh") == keys("en")
    zh, en = Words("zh"), Words("en")
    for key in keys("zh"):
        assert blanks(zh._words[key]) == blanks(en._words[key]), key


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "de_DE"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
        ({}, "en"),
    ],
)
def test_language_follows_the_locale(environment: dict[str, str], chosen: str) -> None:
    assert language(environment) == chosen


@pytest.mark.parametrize("chosen", ["zh", "en"])
def test_help_tells_of_every_command(chosen: str) -> None:
    words = Words("zh" if chosen == "zh" else "en")
    usages = [words(f"help_{part}").partition("|")[0] for part in _HELP]
    told = {usage[1:].partition(" ")[0] for usage in usages if usage.startswith(":")}
    assert set(NAMES) - {"help", "search", "file"} <= told, "`:q WORD` searches; files are to come"
    assert all(words(f"help_{part}").count("|") == 1 for part in _HELP)
