"""`python -m copilot --port N`: serves the app. All else comes from environment variables (`copilot.settings`)."""

from __future__ import annotations

import argparse
import os
import sys

__all__ = ["main"]

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def main() -> int:
    """Serve until stopped. Exit status 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="copilot", description="The support copilot, sold in three plans.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()

    import uvicorn

    from copilot.assembly import assemble
    from copilot.settings import settings_from

    try:
        settings = settings_from(os.environ)
        if settings.test_api and arguments.host not in LOOPBACK:
            raise ValueError("COPILOT_TEST_API: tenants may be arranged only over the loopback interface")
        app = assemble(settings)
    except (ValueError, OSError) as error:
        print(f"copilot: {error}", file=sys.stderr)
        return 2
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        # Requests that never end must not keep a stopped server alive.
        timeout_graceful_shutdown=2,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
