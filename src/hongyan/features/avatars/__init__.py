"""Pictures of people: one each, of one size and one format, whatever they come as."""

from hongyan.features.avatars.service import Avatar, Avatars

__all__ = ["Avatar", "Avatars"]
