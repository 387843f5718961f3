"""Which of several nodes: by turns, by chance, by load, by a key."""

from collections import Counter

import pytest

from hongyan.core.choice import WAYS, By, Chooser, rendezvous

NODES = ["a", "b", "c", "d"]


@pytest.mark.parametrize("by", WAYS)
def test_of_one_node_it_is_that_one_and_of_none_none(by: By) -> None:
    chooser = Chooser(lambda: 0.5)
    assert chooser.choose(["a"], by, key="k") == "a"
    with pytest.raises(ValueError, match="no nodes"):
        chooser.choose([], by, key="k")


def test_by_turns_everybody_has_the_same_whatever_the_order_of_the_list() -> None:
    chooser = Chooser(lambda: 0.0)
    chosen = [chooser.choose(nodes, "round-robin") for nodes in (NODES, NODES[::-1], NODES, NODES, NODES[::-1])]
    assert chosen == ["a", "b", "c", "d", "a"]


@pytest.mark.parametrize(("chance", "wanted"), [(0.0, "a"), (0.3, "b"), (0.999999, "d"), (1.0, "d")])
def test_by_chance(chance: float, wanted: str) -> None:
    assert Chooser(lambda: chance).choose(NODES, "random") == wanted


def test_by_load_the_least_and_among_equals_by_chance() -> None:
    load = {"a": 3.0, "b": 1.0, "c": 1.0, "d": 2.0}.__getitem__
    assert Chooser(lambda: 0.0).choose(NODES, "least", load=load) == "b"
    assert Chooser(lambda: 0.9).choose(NODES, "least", load=load) == "c"


def test_key_keeps_its_node_and_when_a_node_goes_only_its_keys_move() -> None:
    keys = [str(number) for number in range(2_000)]
    before = {key: rendezvous(NODES, key) for key in keys}
    assert before == {key: rendezvous(NODES[::-1], key) for key in keys}
    for gone in NODES:
        left = [node for node in NODES if node != gone]
        after = {key: rendezvous(left, key) for key in keys}
        assert {key for key in keys if before[key] != after[key]} == {key for key in keys if before[key] == gone}
        moved = Counter(after[key] for key in keys if before[key] == gone)
        assert set(moved) == set(left), "its keys go to all others"


def test_keys_are_dealt_out_evenly() -> None:
    counts = Counter(rendezvous(NODES, str(number)) for number in range(8_000))
    assert all(1_700 < counts[node] < 2_300 for node in NODES)
