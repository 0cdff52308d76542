"""The app as an ASGI object, for servers and drivers that want one: `copilot.asgi:app`."""

import os

from copilot.assembly import assemble
from copilot.settings import settings_from

__all__ = ["app"]

app = assemble(settings_from(os.environ))
