"""How much a property test tries: profile `normal` (the same examples everywhere) or `nightly` (50 times more, new).

`HYPOTHESIS_PROFILE=nightly pytest` chooses the second. A test that wants more than its share multiplies
`settings().max_examples`, so that the profile still scales it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

# Helpers beside the tests are imported as `tests.<folder>.<name>`, whichever way pytest was started.
_ROOT = str(Path(__file__).resolve().parent.parent)
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

# A machine that others use too is slow, which says nothing about the code: no deadline, no health check on time.
settings.register_profile(
    "normal", max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))
