"""The gateway for clients of CIM: a TCP port on which they hear, and an HTTP API, the route, through which they speak.

It decides nothing: frames and calls become calls of `hongyan.features.cim`, events become frames. `codec.py` and `session.py` are
the protocol without sockets; `gateway.py` opens the ports.
"""
