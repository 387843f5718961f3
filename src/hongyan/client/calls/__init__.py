"""The calls of the SDK by subject: each class asks the server about one thing. `Client` offers their methods as its own."""

from hongyan.client.calls.acting import Acting
from hongyan.client.calls.conversing import Conversing
from hongyan.client.calls.filing import Filing
from hongyan.client.calls.owning import Owning
from hongyan.client.calls.timing import Timing
from hongyan.client.calls.watching import Watching
from hongyan.client.calls.writing import Writing

__all__ = ["Acting", "Conversing", "Filing", "Owning", "Timing", "Watching", "Writing"]
