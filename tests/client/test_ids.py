"""Client ids are UUIDs of version 7 and grow, whatever the clock does."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from hongyan.client.ids import ClientIds
from hongyan.core.ids import check_client_id

CLOCKS = st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=100)


@given(CLOCKS, st.integers(0, 2**73 - 1))
def test_ids_grow_even_when_the_clock_goes_back(clock: list[int], bits: int) -> None:
    times = iter(clock)
    ids = ClientIds(lambda: next(times), lambda count: bits & (1 << count) - 1)
    made = [ids.next() for _ in clock]
    assert made == sorted(set(made))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**73 - 1))
def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front(time: int, bits: int) -> None:
    made = uuid.UUID(ClientIds(lambda: time, lambda count: bits & (1 << count) - 1).next())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == (time if time else 0)


def test_ids_are_what_the_server_takes() -> None:
    ids = ClientIds()
    made = [ids.next() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert [check_client_id(one) for one in made] == made


def test_two_sources_at_the_same_moment_do_not_meet() -> None:
    one, two = ClientIds(lambda: 5), ClientIds(lambda: 5)
    assert {one.next() for _ in range(500)}.isdisjoint({two.next() for _ in range(500)})
