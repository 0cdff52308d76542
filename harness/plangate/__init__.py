"""plangate proves, before release, that every plan of an AI app gets exactly what it bought."""

__all__ = ["__version__"]

__version__ = "0.1.0"
