"""The search over messages, people and conversations: an index that follows the log, and questions to it.

Use `Search` and the types of `model`; `documents.py` is where features say what of their contents is searched.
"""

from hongyan.features.search.asking import Fields
from hongyan.features.search.model import Found, FoundConversation, FoundConversations, Hit, Snippet
from hongyan.features.search.service import Order, Search

__all__ = ["Fields", "Found", "FoundConversation", "FoundConversations", "Hit", "Order", "Search", "Snippet"]
