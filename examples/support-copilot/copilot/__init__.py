"""support-copilot: a small AI support agent that is sold in three plans.

It stands on its own: it imports nothing of plangate, reads its plans from its own files, and decides by its own code.
That is what makes it worth testing with plangate.
"""

__all__ = ["__version__"]

__version__ = "4.2.0"
