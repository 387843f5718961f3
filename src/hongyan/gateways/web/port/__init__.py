"""The one port: sockets, TLS, and HTTP/1.1 with deadlines; requests that upgrade are handed on with their connection."""
