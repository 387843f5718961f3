"""Emoji to choose from, page by page."""

_ALL = ["😀", "😃", "😄", "😁", "😆", "😅", "😂", "🙂", "🙃", "😉", "😊", "😇", "😍", "😘", "😋", "😜", "🤔", "🤗", "🤫", "😐", "😏", "😒", "🙄", "😬", "😌", "😔", "😪", "😴", "😷", "🤒", "🥳", "😎", "🤓", "😕", "😟", "😮", "😲", "😳", "🥺", "😢", "😭", "😱", "😤", "😡", "👍", "👎", "👌", "✌️", "🤞", "👏", "🙌", "🙏", "🤝", "💪", "👀", "👋", "✅", "❌", "❓", "❗", "💯", "🔥", "⭐", "🎉", "🎂", "🎁", "❤️", "💔", "💬", "💡", "📌", "📎", "📷", "📞", "📅", "⏰", "☕", "🍵", "🍚", "🍜", "🥟", "🍺", "🌞", "🌙", "☔", "❄️", "🐼", "🦢", "🚀", "🚗", "🏠", "🧧"]
_PAGE = 22


def page(number: int) -> tuple[str, int, int]:
    """A line of emoji, the page it is, and how many pages there are."""
    pages = -(-len(_ALL) // _PAGE)
    number = min(max(number, 1), pages)
    return " ".join(_ALL[(number - 1) * _PAGE : number * _PAGE]), number, pages
