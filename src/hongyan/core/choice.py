"""Which of several nodes a client should use."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Literal, get_args

By = Literal["round-robin", "random", "least", "hash"]
WAYS: tuple[By, ...] = get_args(By)


def rendezvous(nodes: Sequence[str], key: str) -> str:
    """Consistent hash by highest random weight: a key keeps its node, and when a node goes only its own keys move."""
    return max(nodes, key=lambda node: blake2b(f"{node}\n{key}".encode(), digest_size=8).digest())


class Chooser:
    """Chooses among ids. `least` goes by `load`, and among equals by chance."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._turn = 0

    def choose(self, nodes: Sequence[str], by: By, *, key: str = "", load: Callable[[str], float] = lambda node: 0.0) -> str:
        """Raises ValueError when there are none."""
        if not nodes:
            raise ValueError("no nodes")
        if by == "hash":
            return rendezvous(nodes, key)
        if by == "least":
            least = min(load(node) for node in nodes)
            nodes = [node for node in nodes if load(node) == least]
        elif by == "round-robin":
            self._turn += 1
            return sorted(nodes)[(self._turn - 1) % len(nodes)]
        return nodes[min(int(self._random() * len(nodes)), len(nodes) - 1)]
