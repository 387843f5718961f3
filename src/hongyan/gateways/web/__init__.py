"""The web gateway: REST, polling, server-sent events and WebSockets on one port, the web client and the description.

It decides nothing: requests become calls of the services, events become their bytes on the wire. `app.py` builds the HTTP
part, `gateway.py` opens the port.
"""
