"""What the people who run a server look at: health, metrics, the log, the data directory, and what `hongyan doctor` finds.

Nothing here takes part in delivering a message. The other rooms do not import this one, except gateways, which answer
`/health` and `/metrics` with it, and the composition root.
"""
