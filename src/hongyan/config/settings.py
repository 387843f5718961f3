"""The tree of settings with its defaults. The bounds stand in the types; what binds several settings together is in `load.py`."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hongyan.core.choice import By

Count = Annotated[int, msgspec.Meta(ge=1)]
Bytes = Annotated[int, msgspec.Meta(ge=1_024)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Rate = Annotated[float, msgspec.Meta(gt=0)]


class Http(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The port of the web gateway."""

    listen: str = "127.0.0.1:8440"
    """HOST:PORT to listen on; an IPv6 address stands in brackets, port 0 takes a free one."""
    url: str = ""
    """SCHEME://HOST[:PORT] at which people reach this port; without it, what `listen`, `certificate` and `domain` say."""
    certificate: Path | None = None
    """PEM file with the TLS certificate and its chain; read again when it changes."""
    key: Path | None = None
    """PEM file with the certificate's private key."""
    origins: tuple[str, ...] = ()
    """Origins (SCHEME://HOST[:PORT]) whose pages may use this server, besides its own."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    max_body: Bytes = 1_048_576
    """Largest body of a request, in bytes."""
    compression: bool = True
    """Compress WebSocket messages when the client offers it."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds that keep one client from harming the others."""

    message_bytes: Bytes = 65_536
    """Largest content of a message, in bytes of UTF-8 JSON."""
    title_length: Count = 200
    """Longest title of a group, in characters."""
    members: Count = 100_000
    """Most members of a conversation."""
    members_per_call: Count = 500
    """Most members that one request may name."""
    conversations_per_user: Count = 10_000
    """Most conversations that a user may be in."""
    sends_per_second: Rate = 1_000.0
    """Messages a second that a user may send for long."""
    sends_burst: Count = 5_000
    """Messages that a user may send at once."""
    requests_per_second: Rate = 500.0
    """Requests a second that a user may make for long."""
    requests_burst: Count = 3_000
    """Requests that a user may make at once."""
    connections: Count = 50_000
    """Most connections of this process."""
    connections_per_user: Count = 200
    """Most event streams that one user may have open."""
    opens_per_second: Rate = 1_000.0
    """Event streams a second that are let in for long; the rest of a storm is told when to return."""
    opens_burst: Count = 2_000
    """Event streams that are let in at once."""
    frame_bytes: Bytes = 262_144
    """Largest WebSocket message from a client, in bytes after decompression."""
    session_queue: Count = 2_000
    """Events that wait for a slow reader before it is sent back to reading the log."""
    write_buffer: Bytes = 262_144
    """Bytes that wait in the buffer of one connection before it is not given more."""
    drain_seconds: Seconds = 20.0
    """Seconds that a full connection may take nothing at all before it is closed."""
    poll_wait: Annotated[float, msgspec.Meta(gt=0, le=300)] = 60.0
    """Longest wait of a long poll, in seconds."""
    page: Count = 1_000
    """Most events or people in one answer."""


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The message log and its store."""

    ring: Count = 20_000
    """Newest events that are kept in memory, so that a short reconnect asks no database."""
    ring_bytes: Bytes = 67_108_864
    """Bytes that these newest events may take up."""
    queue: Count = 50_000
    """Appends that may wait for the disk; more are refused as overloaded."""
    lease_seconds: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0
    """Seconds without a look at the end of a shared log after which a node acts on nothing it believes."""
    look_seconds: Seconds = 0.5
    """How often the log's head is looked at for what other processes wrote."""
    checkpoint_pages: Count = 4_000
    """Pages of SQLite's write-ahead log after which the writer copies them into the database; a thread does so before."""
    readers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    """Database connections for reading."""


class Messages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people may do to messages afterwards."""

    edit_seconds: Seconds = 86_400.0
    """Seconds in which an author may edit a message."""
    recall_seconds: Seconds = 86_400.0
    """Seconds in which an author may take a message back; admins of a group always may."""
    rewrite_seconds: Seconds = 900.0
    """Seconds in which an author may still read what they took back, to write it anew."""
    edits: Count = 500
    """How often one message may be edited."""
    reactions: Count = 50
    """Different reactions that one message may have."""
    pins: Count = 100
    """Pinned messages that one conversation may have."""


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one person may keep for themselves."""

    drafts: Count = 200
    """Drafts that one user may have."""
    bookmarks: Count = 10_000
    """Bookmarked messages of one user."""
    hidden: Count = 100_000
    """Messages that one user may have deleted for themselves."""
    follows: Count = 10_000
    """Threads that one user may follow by their own choice."""


class Timers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages that are sent later, and reminders."""

    most: Count = 200
    """Timers that one user may have."""
    ahead_days: Count = 366
    """Days that a timer may be due ahead."""


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one search may ask for and cost."""

    length: Count = 500
    """Longest question, in characters."""
    words: Count = 20
    """Most words and phrases of a question."""
    page: Count = 100
    """Most hits in one answer."""
    ranked: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 200
    """The newest so many matches are put in order when they are asked for by relevance."""
    seconds: Seconds = 5.0
    """Longest time that one search may take."""
    catch_up_seconds: Seconds = 1.0
    """How long a search waits for the newest messages to be indexed before it answers without them."""
    at_once: Count = 1
    """Searches of one user that may be under way."""
    waiting: Count = 200
    """Searches of all users that may be under way; more are told to come back."""


class Push(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Web Push: telling browsers of messages while no page is open."""

    enabled: bool = True
    """Let people subscribe. The server calls the push services of their browsers then, which see no text."""
    contact: str = ""
    """mailto: or https: address for the operators of push services; empty is postmaster at the domain."""
    private_addresses: bool = False
    """Call addresses of private networks and plain HTTP, too: for a push service of one's own, and for tests."""
    queue: Count = 10_000
    """Messages to browsers that may wait, and as many to push services of XMPP; more are dropped."""


class Files(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files that people put on the server."""

    directory: Path | None = None
    """Where their contents are; without it `files` in the data directory. Nodes that share a store share it, too."""
    largest: Bytes = 104_857_600
    """Largest file, in bytes."""
    bytes_per_user: Bytes = 5_368_709_120
    """Bytes that the files of one user may have together."""
    most: Count = 10_000
    """Files that one user may have."""
    days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0
    """Days after which a file is removed; 0 keeps them until their owners remove them."""
    receive_seconds: Seconds = 3_600.0
    """Seconds that one file may take to come."""
    at_once: Count = 200
    """Files that may be coming to this process."""


class Embed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pages of other sites that show one conversation in a frame."""

    origins: tuple[str, ...] = ()
    """Origins (SCHEME://HOST[:PORT]) whose pages may show a conversation in a frame; none switches it off."""


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Passwords, tokens and the throttle of log-ins."""

    password_length: Annotated[int, msgspec.Meta(ge=1, le=128)] = 8
    """Fewest characters of a new password."""
    iterations: Annotated[int, msgspec.Meta(ge=4_096)] = 200_000
    """PBKDF2 rounds of a new password; at least 4,096 (RFC 7677)."""
    scram_sha1: bool = True
    """Keep keys for SCRAM-SHA-1, too, for old clients of XMPP; off also removes what was kept."""
    sha1_iterations: Annotated[int, msgspec.Meta(ge=4_096)] = 10_000
    """PBKDF2 rounds of those keys; few, since old clients derive them in script at each log-in."""
    session_days: Count = 90
    """Days after which the token of a log-in ends."""
    named_token_days: Count = 365
    """Days after which a named token ends when its maker gave no other number."""
    tokens_per_user: Count = 100
    """Most live tokens of one user."""
    failures_per_account: Count = 10
    """Wrong passwords for one account in one window before it has to wait."""
    failures_per_address: Count = 50
    """Wrong passwords from one address in one window before it has to wait."""
    failure_window: Seconds = 900.0
    """Length of that window, in seconds."""
    logins_at_once: Count = 64
    """Log-ins that may be under way; more are told to come back."""


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """This process among others that share a store."""

    name: str = ""
    """What people call it in lists of nodes; empty is the name of the machine and the port."""
    address: str = ""
    """HOST:PORT at which clients reach this node, where that is not `http.listen`."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Processes on this machine, behind one port; more than one need a shared store and a bus."""


class Cim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gateway for clients of CIM: a TCP port and the HTTP API that they call the route."""

    listen: str = ""
    """HOST:PORT of the TCP port; empty is off."""
    route: str = "127.0.0.1:8083"
    """HOST:PORT of the route's HTTP API, when the TCP port is on."""
    address: str = ""
    """HOST:PORT at which clients reach the TCP port, where that is not `cim.listen`."""
    route_address: str = ""
    """HOST:PORT at which clients reach the route, where that is not `cim.route`."""
    balance: By = "least"
    """Which node a client is sent to: `least` connections, `round-robin`, `random`, or `hash` of its number."""
    repeated: Literal["refuse", "replace"] = "refuse"
    """What becomes of a log-in while an older one stands: it is refused, or the older one ends."""
    register: bool = True
    """Let clients make accounts without a password, which can log in over CIM only."""
    idle_seconds: Seconds = 30.0
    """Seconds of silence after which a connection is closed."""
    login_seconds: Seconds = 10.0
    """Seconds that a connection may take to log in."""
    frame_bytes: Bytes = 65_536
    """Largest frame from a client."""
    connections: Count = 20_000
    """Most TCP connections of this process; over it the oldest that has not logged in makes room."""


class Xmpp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gateway for XMPP clients and servers."""

    c2s: str = ""
    """HOST:PORT for clients, who encrypt by STARTTLS; empty is off. The usual port is 5222."""
    c2s_tls: str = ""
    """HOST:PORT for clients who encrypt from the first byte (XEP-0368); empty is off. The usual port is 5223."""
    certificate: Path | None = None
    """PEM file with the TLS certificate of `domain` and its chain; without it that of `http`."""
    key: Path | None = None
    """PEM file with its private key."""
    web: bool = False
    """Streams over WebSocket (RFC 7395) and BOSH (XEP-0124) on the web port, for clients in browsers."""
    allow_plaintext: bool = False
    """Let clients log in without TLS on a listener that is a loopback address: for benchmarks."""
    rooms: str = "rooms"
    """Groups and channels have addresses at this name in front of `domain`."""
    upload: str = "upload"
    """Clients find at this name in front of `domain` where to put files (XEP-0363); empty takes none from them."""
    stanza_bytes: Bytes = 262_144
    """Largest stanza of a client that has logged in."""
    stranger_bytes: Bytes = 16_384
    """Largest stanza before that."""
    login_seconds: Seconds = 30.0
    """Seconds that a stream may take to log in and bind a resource."""
    idle_seconds: Seconds = 600.0
    """Seconds of silence after which a client is asked whether it is there; it is given as long again to say anything."""
    connections: Count = 20_000
    """Most connections of this process; over it the oldest that has not logged in makes room."""
    s2s: str = ""
    """HOST:PORT for other servers; empty is off, and no other server is called either. The usual port is 5269."""
    s2s_tls: bool = True
    """Talk to other servers over TLS only."""
    s2s_dialback: bool = True
    """Prove oneself, and let servers prove themselves, by being called back (XEP-0220) where a certificate is not believed."""
    s2s_authorities: Path | None = None
    """PEM file with the authorities that are believed for certificates of servers, instead of those of the system."""
    s2s_allow: tuple[str, ...] = ()
    """Domains, with those below them, that are talked to; none is all."""
    s2s_deny: tuple[str, ...] = ()
    """Domains, with those below them, that are not talked to."""
    s2s_private_addresses: bool = False
    """Call servers at addresses of private networks, too: between servers of one's own, and for tests."""
    s2s_per_address: Count = 20
    """Connections of other servers from one address (IPv6: one /64) at a time; more are closed."""
    s2s_newcomers_per_day: Count = 2_000
    """People of one domain who may be heard for the first time in a day, half of them at once; others are not taken."""
    s2s_queue: Count = 1_000
    """Stanzas that may wait for one server."""
    s2s_queue_bytes: Bytes = 8_388_608
    """Bytes that may wait for one server."""
    s2s_seconds: Seconds = 60.0
    """Seconds in which another server has to be reached before what waits for it comes back as an error."""
    s2s_stanzas_per_second: Rate = 200.0
    """Stanzas a second that are taken from one domain for long; over four times as many at once its stream ends."""
    push_devices: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 10
    """Devices of an account that push services may wake (XEP-0357), the last that asked; 0 switches it off, as no s2s does."""
    push_details: bool = False
    """Tell push services, run by others, who wrote, what, and how much is unread; without it only that there is something."""
    contacts: tuple[str, ...] = ()
    """KIND=ADDRESS of whom to write to (XEP-0157): abuse, admin, feedback, sales, security, status or support."""
    services: tuple[str, ...] = ()
    """STUN and TURN servers for calls (XEP-0215), each as turn:HOST:PORT?transport=udp; also stun, stuns and turns."""
    turn_secret: str = ""
    """What the TURN servers make passwords from, too: `static-auth-secret` of coturn; empty gives none."""
    turn_seconds: Seconds = 86_400.0
    """Seconds for which a password of TURN is good."""


class Dns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names that are looked up."""

    server: str | None = None
    """ADDRESS:PORT of the name server for SRV records and for addresses of XMPP servers; without it the system's are asked."""


class Logging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server writes to its standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important records that are written."""
    format: Literal["auto", "json", "text"] = "auto"
    """A JSON object a line, or text for people; `auto` is text on a terminal and JSON elsewhere."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    data: Path = Path("data")
    """The data directory: everything that the server keeps."""
    domain: str = "localhost"
    """The organisation's own domain name."""
    store: str = "sqlite:"
    """Where everything is kept: `sqlite:` is a file in the data directory, `postgresql://USER@HOST:PORT/DB` a shared database."""
    bus: str = "local:"
    """How nodes that share a store wake one another: `local:` for one node alone, or `nats://HOST:PORT`, several with commas."""
    http: Http = Http()
    limits: Limits = Limits()
    messages: Messages = Messages()
    own: Own = Own()
    timers: Timers = Timers()
    log: Log = Log()
    search: Search = Search()
    push: Push = Push()
    files: Files = Files()
    embed: Embed = Embed()
    identity: Identity = Identity()
    node: Node = Node()
    cim: Cim = Cim()
    xmpp: Xmpp = Xmpp()
    dns: Dns = Dns()
    logging: Logging = Logging()

    @property
    def shares_store(self) -> bool:
        """Other nodes may use the same store."""
        return self.store.startswith(("postgresql://", "postgres://", "postgresql+srv://"))

    @property
    def has_bus(self) -> bool:
        return self.bus.startswith(("nats://", "tls://", "nats+srv://"))
