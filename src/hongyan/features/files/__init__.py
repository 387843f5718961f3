"""Files that people put on the server, each at an address that cannot be guessed."""

from hongyan.features.files.model import File, FileList
from hongyan.features.files.names import safe_name, safe_type, served_type
from hongyan.features.files.service import Files

__all__ = ["File", "FileList", "Files", "safe_name", "safe_type", "served_type"]
