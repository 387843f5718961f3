"""XMPP: streams of clients and of other servers (RFC 6120, 6121, 7395), over the same people, conversations and log."""
