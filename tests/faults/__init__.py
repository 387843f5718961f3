"""Whether a cluster keeps its promises while it is being broken.

A `Workload` sends and reads on all nodes and writes a `History`; a nemesis breaks nodes, database and bus meanwhile; the
checker holds the history to the rules afterwards. In the manner of Jepsen (https://jepsen.io).
"""
