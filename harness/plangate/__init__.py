"""plangate proves, before release, that every plan of an AI app gets exactly what it bought."""

__all__ = ["JSON_FORMAT", "__version__"]

__version__ = "0.1.0"

JSON_FORMAT = 1
"""Of every JSON document that a verb prints or a report file holds: keys may be added, none is renamed or removed."""
