"""A link passes bytes, and breaks when it is told to."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from tests.counterparts.link import Link
from tests.serving import wait_for

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


@pytest.fixture
def link(listener: socket.socket) -> Iterator[Link]:
    with Link(listener.getsockname()[1]) as link:
        yield link


@pytest.fixture
def ends(link: Link, listener: socket.socket) -> Iterator[Ends]:
    """A connection through the link: who connected, and who was connected to."""
    with socket.create_connection(("127.0.0.1", link.port), 10) as near:
        far, _ = listener.accept()
        with far:
            far.settimeout(10)
            yield near, far


def nothing_comes(end: socket.socket) -> bool:
    """A tenth of a second; a byte that passes takes a thousandth of that."""
    end.settimeout(0.1)
    try:
        end.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        end.settimeout(10)
    return False


def count_until_timeout(moved: Callable[[], int]) -> int:
    count = 0
    with contextlib.suppress(TimeoutError):
        while True:
            count += moved()
    return count


def test_bytes_and_the_end_pass_in_both_directions(ends: Ends) -> None:
    near, far = ends
    near.sendall(b"ping")
    near.shutdown(socket.SHUT_WR)
    assert far.makefile("rb").read() == b"ping"
    far.sendall(b"pong")
    far.shutdown(socket.SHUT_WR)
    assert near.makefile("rb").read() == b"pong"


def test_cut_resets_and_refuses_until_it_is_healed(link: Link, ends: Ends, listener: socket.socket) -> None:
    link.cut()
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", link.port), 10)
    link.heal()
    with socket.create_connection(("127.0.0.1", link.port), 10) as near:
        near.sendall(b"again")
        far, _ = listener.accept()
        with far:
            assert far.recv(5) == b"again"


def test_stall_holds_bytes_and_heal_lets_them_through(link: Link, ends: Ends) -> None:
    near, far = ends
    link.stall()
    near.sendall(b"there")
    far.sendall(b"back")
    assert nothing_comes(far)
    assert nothing_comes(near)
    link.heal()
    assert far.recv(5) == b"there"
    assert near.recv(4) == b"back"


def test_stall_stops_what_is_under_way(link: Link, ends: Ends) -> None:
    """Also what did not fit when the stall began."""
    near, far = ends
    near.settimeout(0.1)
    sent = count_until_timeout(lambda: near.send(bytes(65_536)))
    link.stall()
    far.settimeout(0.1)
    arrived = count_until_timeout(lambda: len(far.recv(1 << 20)))  # the kernel had it already
    assert arrived < sent
    link.heal()
    near.close()
    far.settimeout(10)
    assert arrived + len(far.makefile("rb").read()) == sent


def test_new_connection_in_a_stall_is_taken_and_waits(link: Link, listener: socket.socket) -> None:
    link.stall()
    with socket.create_connection(("127.0.0.1", link.port), 10) as near:
        near.sendall(b"hello")
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
        link.heal()
        listener.settimeout(10)
        far, _ = listener.accept()
        with far:
            assert far.recv(5) == b"hello"


def test_who_goes_in_a_stall_is_not_missed_before_the_heal(link: Link, ends: Ends) -> None:
    near, far = ends
    link.stall()
    near.close()
    assert nothing_comes(far)
    link.heal()
    assert far.recv(1) == b""


def test_nobody_at_the_other_end_is_a_reset(link: Link, listener: socket.socket) -> None:
    listener.close()
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", link.port), 10) as near:
        near.recv(1)


def test_stalled_link_ends(listener: socket.socket) -> None:
    with Link(listener.getsockname()[1]) as link, socket.create_connection(("127.0.0.1", link.port), 10) as near:
        link.stall()
        near.sendall(b"lost")
        wait_for(lambda: link.connections == 1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", link.port), 10)
