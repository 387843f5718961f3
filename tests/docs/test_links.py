"""Files outside the site (README and its like) have no broken links, and the site is complete."""

import re

import pytest
import yaml

from tests.docs.pages import ROOT

OUTSIDE = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_links_and_pictures_lead_to_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_page_is_in_the_navigation() -> None:
    def pages(entry: object) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        values = entry.values() if isinstance(entry, dict) else entry
        assert not isinstance(values, str)
        return [page for value in values for page in pages(value)]  # type: ignore[attr-defined]

    named = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert set(named) == there
    assert len(named) == len(set(named))


def test_every_decision_is_in_their_index_by_its_name() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\d{4}-[^)]+\.md)\) \| \S", (folder / "index.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    there = sorted(path.name for path in folder.glob("*.md") if path.name != "index.md")
    assert [name for _, name in listed] == there
    assert all(name.startswith(f"{number}-") for number, name in listed)
    assert all((folder / name).read_text(encoding="utf-8").startswith(f"# {name[:4]} ") for name in there)


def test_the_site_loads_nothing_from_other_hosts() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False
    assert not config.get("extra_javascript")
    assert not config.get("extra_css")
