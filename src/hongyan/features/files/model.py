"""What is known of a file besides its content."""

import msgspec


class File(msgspec.Struct, frozen=True):
    id: str
    """52 random characters: who knows them may have the file."""
    name: str
    size: int
    """Bytes."""
    media_type: str
    created: int
    """Milliseconds since 1970 UTC."""


class FileList(msgspec.Struct, frozen=True):
    """The caller's, the newest first."""

    files: list[File]
    used: int
    """Bytes, with those that are on their way."""
    most: int
    """Bytes that all of them may have."""
