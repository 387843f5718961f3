"""Pictures of people."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import MakePeople
from tests.browser.visitor import SOON, Visitor
from tests.serving import Server


def test_a_picture_is_shown_to_somebody_else_at_once_and_goes_again(
    browser: Browser, server: Server, people: MakePeople, tmp_path: Path
) -> None:
    ann, bob = people(2)
    lane = ann.direct(bob.id)
    file = tmp_path / "me.png"
    Image.new("RGB", (900, 600), (18, 109, 131)).save(file)
    with Visitor(browser, server, ann) as one, Visitor(browser, server, bob) as other:
        other.connected()
        face = other.page.locator(f'a.row[data-id="{lane}"] .avatar')
        expect(face).to_be_visible(timeout=SOON)
        expect(face.locator("img")).to_have_count(0)
        one.connected()
        one.page.goto(server.url + "/#/settings")
        one.page.set_input_files("input[type=file]", file)
        expect(face.locator("img")).to_be_visible(timeout=SOON)
        assert face.locator("img").evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [256, 256]
        expect(one.page.locator(".profile .avatar img")).to_be_visible(timeout=SOON)
        one.page.get_by_role("button", name="移除头像").click()
        expect(face.locator("img")).to_have_count(0, timeout=SOON)

        file.write_bytes(b"no picture")
        one.page.set_input_files("input[type=file]", file)
        expect(one.page.get_by_text("无法读取这张图片")).to_be_visible()
