"""How many messages share a commit (group commit), the same for both stores."""

SEVERAL = 2
GATHER_SECONDS = 0.004
"""After a commit of several the next one waits so long: under load a few more in each commit cost far less than more commits
(docs/performance.md). Who sends alone never waits."""
