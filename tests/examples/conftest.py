"""Puts the reference app on the path, as its launch does with PYTHONPATH."""

import sys
from pathlib import Path

APP = str(Path(__file__).resolve().parents[2] / "examples" / "support-copilot")
if APP not in sys.path:
    sys.path.insert(0, APP)
