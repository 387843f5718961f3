"""Accounts, passwords and tokens: who somebody is. Others use `Identity`; what is in the tables is this room's alone."""
