"""Emoji to choose from, page by page."""

_PAGES = (
    "😀 😃 😄 😁 😆 😅 😂 🙂 🙃 😉 😊 😇 😍 😘 😋 😜 🤔 🤗 🤫 😐 😏 😒",
    "🙄 😬 😌 😔 😪 😴 😷 🤒 🥳 😎 🤓 😕 😟 😮 😲 😳 🥺 😢 😭 😱 😤 😡",
    "👍 👎 👌 ✌️ 🤞 👏 🙌 🙏 🤝 💪 👀 👋 ✅ ❌ ❓ ❗ 💯 🔥 ⭐ 🎉 🎂 🎁",
    "❤️ 💔 💬 💡 📌 📎 📷 📞 📅 ⏰ ☕ 🍵 🍚 🍜 🥟 🍺 🌞 🌙 ☔ ❄️ 🐼 🦢",
    "🚀 🚗 🏠 🧧",
)


def page(number: int) -> tuple[str, int, int]:
    """A line of emoji, the page it is, and how many pages there are."""
    number = min(max(number, 1), len(_PAGES))
    return _PAGES[number - 1], number, len(_PAGES)
