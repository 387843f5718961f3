"""Streams between servers (RFC 6120, XEP-0220): people of other servers and ours."""
