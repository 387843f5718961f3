"""Hongyan 鸿雁: one server, one directory of people, one durable message log, many doors."""

from importlib.metadata import version

__version__ = version("hongyan")
