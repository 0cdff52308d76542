"""What authors outside plangate test their plugins with: conformance kits, and targets that behave as the kits expect.

from plangate.testing import DRIVER_CHECKS, check_driver
"""

from __future__ import annotations

from plangate.testing.conformance import CheckFailedError, CheckReport
from plangate.testing.drivers import DRIVER_CHECKS, DriverCheck, DriverSource, check_driver

__all__ = ["DRIVER_CHECKS", "CheckFailedError", "CheckReport", "DriverCheck", "DriverSource", "check_driver"]
