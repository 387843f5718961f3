"""Pure rules: the types of the log, contents, cursors, policy, errors, text. No I/O, no clock, no framework.

Everything else may import this room; it imports nothing of Hongyan.
"""
