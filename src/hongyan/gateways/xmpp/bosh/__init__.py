"""Streams over HTTP (XEP-0124, XEP-0206): `bodies` is what is said, `session` one session of it, `sessions` all of them."""
