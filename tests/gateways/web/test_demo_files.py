"""What the demonstration page's files may not do, and that they fit together. No browser, no server."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[3] / "src" / "hongyan" / "gateways" / "web" / "static"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
PAGE = (STATIC / "demo.html").read_text(encoding="utf-8")
SHEET = (STATIC / "demo.css").read_text(encoding="utf-8")

_IMPORT = re.compile(r"^import (?:\{([^}]+)\}|\* as \w+|) ?(?:from )?'\./([\w-]+\.js)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:const|let|class|function) (\w+)", re.MULTILINE)
_FOREIGN = re.compile(r"(?:https?:)?//[\w-]+\.[\w.-]+")
_SVG = "http://www.w3.org/2000/svg"


def test_every_import_exists() -> None:
    seen = 0
    for name, code in SCRIPTS.items():
        for names, source in _IMPORT.findall(code):
            exported = set(_EXPORT.findall(SCRIPTS[source]))
            wanted = {one.strip().split(" as ")[0] for one in names.split(",") if one.strip()}
            assert wanted <= exported, f"{name} wants {sorted(wanted - exported)} of {source}"
            seen += len(wanted)
        assert len(_IMPORT.findall(code)) == len(re.findall(r"^import ", code, re.MULTILINE)), (
            f"{name}: an import of another form"
        )
    assert seen > 50


def test_nothing_unused_is_served() -> None:
    reached, open_ends = set(), {"demo.js"}
    while open_ends:
        name = open_ends.pop()
        reached.add(name)
        open_ends |= {source for _, source in _IMPORT.findall(SCRIPTS[name])} - reached
    assert reached == set(SCRIPTS)


def test_no_other_host_is_named() -> None:
    for name, text in {**SCRIPTS, "demo.html": PAGE, "demo.css": SHEET}.items():
        assert not _FOREIGN.findall(text.replace(_SVG, "")), name
    for address in re.findall(r'(?:href|src)="([^"]+)"', PAGE):
        assert address.startswith("/demo/"), address


def test_files_named_by_the_page_exist() -> None:
    for name in re.findall(r'"/demo/([^"]+)"', PAGE):
        assert (STATIC / name).is_file(), name


def test_no_script_makes_markup_of_text() -> None:
    for name, code in SCRIPTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser", code), (
            name
        )


def test_no_inline_style_that_the_policy_forbids() -> None:
    assert "<style" not in PAGE
    assert not re.search(r"\sstyle=|\son\w+=", PAGE)
    for name, code in SCRIPTS.items():
        assert not re.search(r"setAttribute\('style'|\bstyle: ['`]|cssText", code), name


def test_every_custom_property_is_defined() -> None:
    defined = set(re.findall(r"(--[\w-]+):", SHEET))
    used = set(re.findall(r"var\((--[\w-]+)", SHEET))
    assert used <= defined, sorted(used - defined)


def test_colours_are_tokens() -> None:
    """Outside the first part, no rule mixes a colour of its own that could be forgotten in one of the themes."""
    rules = SHEET.split("/* ---- the page */", 1)[1]
    for number, line in enumerate(rules.splitlines(), 1):
        for colour in re.findall(r"#[0-9a-f]{3,8}\b|\brgba?\(|(?<!light-dark\()\boklch\(", line):
            assert "light-dark(" in line or "mask:" in line, f"{number}: {colour} in {line.strip()}"


def test_every_class_of_the_scripts_is_drawn_or_named_as_a_hook() -> None:
    hooks = {"people", "many", "light", "dark", "system"}
    classes = {one for code in SCRIPTS.values() for text in re.findall(r"class: '([\w -]+)'", code) for one in text.split()}
    drawn = set(re.findall(r"\.([a-z][\w-]*)", SHEET))
    assert classes - drawn - hooks == set()
