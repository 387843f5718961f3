"""The WebSocket transport: from a request that upgrades (`door`) to frames in (`connection`) and frames out (`writing`).

`codec`, `deflate`, `handshake` and `message` are sans I/O. `gateway.py` puts `Context`, `Door`, `Output` and `Upkeep` together;
nobody else touches anything here.
"""
