"""The demonstration organisation of `hongyan serve --demo`: people of an invented company, who have talked for some days.

`story` says who and what, `making` writes it into a new data directory. Nothing else may depend on it.
"""

from hongyan.demo.making import is_new, make

__all__ = ["is_new", "make"]
