"""An app is launched with what the release pins; bindings never repeat a version."""

import pytest

from plangate.documents.document import read_document
from plangate.documents.kinds import Kind
from plangate.errors import InputError
from plangate.releases.placeholders import with_release

MANIFEST = """
apiVersion: plangate/v1
kind: Environment
metadata: {name: dev, revision: 1, tier: nonproduction}
release:
  app: {name: shop, version: 1.2.3}
  model: {provider: none, name: none, version: 1.0.0}
  plans: {support-copilot: 3.2.0}
  flags: {cite: true, off: false}
  suites: {gating: 1}
bindings:
  targets:
    default:
      driver: http
      launch: {command: [app, "{release.app.version}", "{port}"], env: {PLANS: "v{release.plans.support-copilot}", KEPT: "{{release.x}}", CITE: "{release.flags.cite}", ALL: "{release.flags} {release.plans}"}}
      request: {method: GET, path: /}
      decide: [{when: {status: 200}, effect: allow}]
"""  # noqa: E501


def _environment(text: str = MANIFEST):
    return read_document(Kind.ENVIRONMENT, text.encode(), path="envs/dev.yaml").sound()


def test_pins_are_filled_in_and_everything_else_is_left() -> None:
    launch = with_release(_environment()).bindings.targets["default"].launch
    assert launch.command == ("app", "1.2.3", "{port}")
    assert launch.env == {
        "PLANS": "v3.2.0",
        "KEPT": "{{release.x}}",
        "CITE": "true",
        "ALL": "cite support-copilot=3.2.0",
    }


def test_a_pin_that_is_not_there_is_refused_with_a_near_miss() -> None:
    with pytest.raises(InputError) as refused:
        with_release(_environment(MANIFEST.replace("release.app.version", "release.app.versoin")))
    assert refused.value.code == "unknown-placeholder"
    assert "app.version" in refused.value.hint
