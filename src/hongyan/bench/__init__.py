"""The load generator behind `hongyan bench`: processes, ready-made frames, a ledger that notices each lost or doubled message.

    command    arguments and the run            scenarios  what is measured
    crew       the worker processes             worker     one of them
    person     one connection                   links      its transport
    wire       bytes in and out                 stamp      what a message carries
    ledger     exactly once, or not             figures    the table
    procfs     CPU and memory of the server     setup      log-ins and conversations

It talks to a server only over the wire, so it works against any that speaks docs/protocol.md.
"""

from hongyan.bench.command import add_arguments, run

__all__ = ["add_arguments", "run"]
