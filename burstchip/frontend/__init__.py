"""YAML text to a `Network`: source positions, units, parameters, and every mistake of a file at once."""

from burstchip.frontend.loading import LoadResult, load, load_network
from burstchip.frontend.schema import network_schema

__all__ = ["LoadResult", "load", "load_network", "network_schema"]
