"""The pytest plugin, seen from outside: pytest in a process of its own, in a small workspace."""
