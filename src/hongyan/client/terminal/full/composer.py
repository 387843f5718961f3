"""Where one writes. Enter sends, Alt+Enter (or Ctrl+J) begins a new line, ↑ in an empty one edits the last message."""

from textual import events
from textual.message import Message as Said
from textual.widgets import TextArea


class Composer(TextArea):
    class Sent(Said):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class EditLast(Said):
        """↑ in an empty composer."""

    class Left(Said):
        """Esc: leave what one is doing (a reply, an edit, a thread)."""

    class Typed(Said):
        """Something was typed."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(id="composer", soft_wrap=True, show_line_numbers=False, compact=True, placeholder=placeholder)

    def write(self, text: str) -> None:
        """Another text, and the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            if self.text.strip():
                self.post_message(self.Sent(self.text.strip("\n")))
        elif event.key in ("alt+enter", "ctrl+j", "shift+enter"):
            event.prevent_default()
            event.stop()
            self.insert("\n")
        elif event.key == "up" and not self.text:
            event.prevent_default()
            event.stop()
            self.post_message(self.EditLast())
        elif event.key == "escape":
            event.prevent_default()
            event.stop()
            self.post_message(self.Left())
        else:
            await super()._on_key(event)
            if event.is_printable:
                self.post_message(self.Typed())
