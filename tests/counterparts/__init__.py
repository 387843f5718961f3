"""The real servers that a cluster leans on, for tests: a database, a bus, a name server, balancers, and a link that can break.

Each is a context manager, listens on a free loopback port that stays its own over restarts, and is gone at the end whatever
happens to the test. `tests/conftest.py` has the fixtures.
"""
