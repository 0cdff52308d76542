"""Parts that are wrong on purpose, each in one way that was seen in the field. `copilot.bugs` says where."""

__all__: list[str] = []
