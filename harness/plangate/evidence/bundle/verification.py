"""A bundle against a customer's own trust policy, offline: what is so, what is not, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from plangate.documents.environment import Json
from plangate.documents.requirements import shown_by
from plangate.documents.workspace import Workspace
from plangate.errors import EvidenceError, PlangateError
from plangate.evidence.bundle.layout import BundleFile
from plangate.evidence.bundle.records import LedgerCopy, read_ledger
from plangate.evidence.bundle.results import read_results
from plangate.evidence.bundle.unpacking import environment_name, run_document, unpack_documents
from plangate.evidence.claims import claims_of
from plangate.evidence.envelope import Envelope, open_envelope
from plangate.evidence.statements import RELEASE_SUBJECT, TEST_RESULT, VERIFICATION_SUMMARY, Statement
from plangate.evidence.trust import Accepted, Refused, TrustPolicy
from plangate.releases.canonical import digest_of_bytes
from plangate.releases.release import identify
from plangate.verdicts.fingerprint import Decided, Digests, digests
from plangate.verdicts.ran import NOT_CHECKED

__all__ = ["BundleProblem", "Judged", "Verification", "verify_bundle"]

# Not believed, and no fault either: strangers' words, and words that your policy lets nobody or another say.
_IGNORED: Final = (
    "malformed-evidence",
    "no-role",
    "predicate-not-allowed",
    "environment-not-allowed",
    "role-not-held",
    "order-unvouched",
)
_RAN_UNCHECKED: Final = "what ran was not checked"
_TOTALS: Final = {"passed": "pass"}


@dataclass(frozen=True, slots=True, order=True)
class BundleProblem:
    """One thing that does not hold."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One statement of the bundle and whether it may be believed."""

    index: int
    at: str
    digest: str
    envelope: Envelope
    statement: Statement | None
    verdict: Accepted | Refused

    @property
    def accepted(self) -> bool:
        """Whether it counts."""
        return isinstance(self.verdict, Accepted)


@dataclass(slots=True, kw_only=True)
class Verification:
    """The outcome. `ok` is false unless everything that was looked at holds and every suite has a trusted pass."""

    release: str = ""
    environment: str = ""
    fingerprint: str = ""
    run: Mapping[str, Any] = field(default_factory=dict)
    results: int = 0
    statements: list[Judged] = field(default_factory=list)
    problems: list[BundleProblem] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Suite in the bundle -> ids of the requirements that it asks for."""
    requirements: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Suite -> those of them that its newest trusted result, a pass, says are shown."""

    @property
    def ok(self) -> bool:
        """Whether the bundle may be relied on."""
        return bool(self.release) and not self.problems

    def fail(self, code: str, text: str) -> None:
        """Note something that does not hold."""
        self.problems.append(BundleProblem(code, text))


def verify_bundle(bundle: BundleFile, policy: TrustPolicy, *, now: str, scratch: Path) -> Verification:
    """Check a bundle whose bytes are whole. `now` is RFC 3339 UTC; `scratch` an empty folder for its documents.

    Total for whatever a bundle can hold: what is wrong is in `problems`.
    """
    found = Verification(not_checked=_never_checked())
    if policy.expired(now):
        found.fail("trust-expired", f"your trust policy, version {policy.trust.version}, ended {policy.trust.expires}")
    for step in (_identity, _record, _outcome):
        try:
            step(found, bundle, policy, scratch)
        except PlangateError as error:
            found.problems += [
                BundleProblem(one.code, f"{one.path}: {one.message}".lstrip(": ")) for one in error.problems
            ]
            if step is _identity:
                break
    return found


def _identity(found: Verification, bundle: BundleFile, _: TrustPolicy, scratch: Path) -> None:
    """Documents, release.lock and effective config say the same."""
    environment = environment_name(bundle)
    found.run, found.environment = run_document(bundle), environment
    unpack_documents(bundle, scratch)
    workspace = Workspace.open(scratch)
    manifest = workspace.environment(environment)
    identity = identify(workspace, manifest)
    found.release = identity.release
    for title, digest in (("release.lock", identity.release), (f"effective/{environment}.json", identity.effective)):
        if digest_of_bytes(bundle.read(title)) != digest:
            found.fail("release-differs", f"the documents of the bundle do not make its {title}")
    run = found.run
    if (run["release"], run["effective"]) != (identity.release, identity.effective):
        found.fail("release-differs", "the results are about another release or other bindings than the documents")
    suites = {name: one["digest"] for name, one in run["suites"].items()}
    if not suites.items() <= dict(identity.suites).items():
        found.fail("release-differs", "the results come from other suites than the release pins")
    targets = manifest.bindings.targets
    found.asked = {
        name: shown_by(workspace.suite(name, int(pin)), targets=targets)
        for name, pin in manifest.release.suites.items()
    }
    gates = {gate.suite for gate in manifest.gates if gate.mode == "require"} or set(identity.suites)
    for name in sorted(set(identity.suites) - set(suites)):
        if name in gates:
            found.fail("not-validated", f"suite {name} must be passed here, and the bundle has no results of it")
        else:
            found.not_checked.append(f"suite {name}: the release pins it, and it was not run in {environment}")


def _record(found: Verification, bundle: BundleFile, policy: TrustPolicy, _: Path) -> None:
    """The ledger is whole and signed, and each envelope is in it."""
    ledger = read_ledger(bundle)
    for code, text in ledger.problems(policy):
        found.fail(code, text)
    vouched = ledger.vouched(policy)
    for title in bundle.titles():
        if title.startswith("evidence/") and title.endswith(".dsse.json"):
            found.statements.append(_judged(bundle.read(title), ledger, policy, vouched=vouched))
    found.statements.sort(key=lambda one: (one.index, one.digest))
    known = {key.keyid for key in policy.keys.values()}
    for one in found.statements:
        verdict = one.verdict
        if one.index < 0:
            found.fail("evidence-unlisted", f"the ledger does not name {one.digest[:12]}")
        elif isinstance(verdict, Refused):
            forged = verdict.code == "untrusted-signature" and one.envelope.keyid in known
            if forged or verdict.code not in (*_IGNORED, "untrusted-signature"):
                found.fail(verdict.code, f"entry {one.index}: {verdict.text}")
            else:
                found.not_checked.append(f"entry {one.index} ({_kind(one)}): {verdict.text}")
    _summaries(found)


def _judged(data: bytes, ledger: LedgerCopy, policy: TrustPolicy, *, vouched: int) -> Judged:
    envelope = open_envelope(data)
    index, at = ledger.place_of(envelope.digest)
    try:
        statement = envelope.statement()
    except EvidenceError:
        statement = None
    about = _environment_of(statement) if statement is not None else None
    verdict = policy.judge(envelope, index=index, environment=about, at=at)
    if isinstance(verdict, Accepted) and index is not None and index >= vouched and not _is_failure(statement):
        # Its place could be anybody's choice, such as an old pass put after a newer failure.
        verdict = Refused(code="order-unvouched", text="nobody you trust signed the ledger from here on")
    return Judged(
        index=-1 if index is None else index,
        at=at,
        digest=envelope.digest,
        envelope=envelope,
        statement=statement,
        verdict=verdict,
    )


def _is_failure(statement: Statement | None) -> bool:
    words = {"FAILED", "rejected"}
    return statement is not None and bool(
        words & {str(statement.predicate.get(name)) for name in ("result", "verificationResult", "decision")}
    )


def _environment_of(statement: Statement) -> str | None:
    named = statement.predicate.get("environment")
    subjects = [one.name for one in statement.subjects if one.name.startswith("effective/")]
    told = subjects[0].removeprefix("effective/").removesuffix(".json") if subjects else None
    if isinstance(named, str) and told is not None and named != told:
        return None  # two environments named: neither is believed
    return named if isinstance(named, str) else told


def _summaries(found: Verification) -> None:
    """A gate's verdict lists all it rests on, for this environment only (SLSA VSA; evidence.md 3.1)."""
    digests = {one.digest for one in found.statements}
    for one in found.statements:
        if not one.accepted or one.statement is None or one.statement.predicate_type != VERIFICATION_SUMMARY:
            continue
        listed = one.statement.predicate.get("inputAttestations")
        for entry in listed if isinstance(listed, list) else ():
            digest = entry.get("digest") if isinstance(entry, dict) else None
            sha256 = digest.get("sha256") if isinstance(digest, dict) else None
            if sha256 not in digests:
                found.fail("input-missing", f"entry {one.index} rests on {str(sha256)[:12]}, which the bundle lacks")


def _outcome(found: Verification, bundle: BundleFile, policy: TrustPolicy, _: Path) -> None:
    """The results are those that were signed, all of them, and the newest trusted word on each suite is a pass."""
    counts, found.results, made = _counted(bundle)
    found.fingerprint = made.fingerprint
    if made.fingerprint != found.run["fingerprint"]:
        found.fail("results-differ", "the results do not have the fingerprint that run.json gives")
    if made.details != found.run["details"]:
        found.fail("results-differ", "what the results tell of limits is not what run.json gives")
    for name, suite in sorted(found.run["suites"].items()):
        newest = _newest(found, name, suite["digest"])
        if newest is None or newest.statement is None:
            found.fail("not-validated", f"nobody you trust says that suite {name} passed for this release")
            continue
        for text in _disagreements(newest.statement, suite, counts.get(name, {}), made):
            found.fail("results-differ", f"suite {name}: {text}")
        if newest.statement.predicate.get("result") != "PASSED":
            found.fail("validation-failed", f"the newest trusted word on suite {name} is that it did not pass")
        elif against := next(claims_of(newest.statement.predicate).against_a_pass(), ""):
            found.fail("validation-failed", f"suite {name} was signed as passed, and {against}")
        elif not _enough(found, policy, newest, name, suite["digest"]):
            found.fail("threshold-not-met", f"fewer people signed for suite {name} than your trust policy demands")
        _claimed(found, name, newest.statement.predicate)


def _claimed(found: Verification, name: str, predicate: Mapping[str, Json]) -> None:
    """What the signer says beside the result: shown is what the suite asks for, and what was left out is told."""
    claims, asked = claims_of(predicate), found.asked.get(name, ())
    if predicate.get("result") == "PASSED":
        found.requirements[name] = tuple(one for one in asked if one in claims.requirements)
    for one in claims.requirements:
        if one not in asked:
            found.not_checked.append(f"suite {name}: {one} is signed as shown, and the suite does not ask for it")
    # A version that signed nothing of this did not check what ran either.
    told = claims.not_tried or ((_RAN_UNCHECKED,) if claims.ran == NOT_CHECKED else ())
    found.not_checked += [f"suite {name}: {text}" for text in told]


def _counted(bundle: BundleFile) -> tuple[dict[str, dict[str, int]], int, Digests]:
    counts: dict[str, dict[str, int]] = {}

    def walked() -> Iterator[Decided]:
        for line in read_results(bundle.read("results.jsonl.gz", bytes_max=512 * 1024 * 1024)):
            of_suite = counts.setdefault(line.suite, {})
            of_suite[line.verdict] = of_suite.get(line.verdict, 0) + 1
            yield line.decided

    made = digests(walked())
    return counts, sum(sum(one.values()) for one in counts.values()), made


def _about_suite(found: Verification, name: str, digest: str) -> Iterator[Judged]:
    """Accepted test results on this suite, release, environment and bindings; oldest first."""
    for one in found.statements:
        statement = one.statement
        if not one.accepted or statement is None or statement.predicate_type != TEST_RESULT:
            continue
        about = (
            statement.digest_of(RELEASE_SUBJECT),
            statement.digest_of(f"effective/{found.environment}.json"),
            _suite_of(statement),
        )
        if about == (found.release, found.run["effective"], (f"suite/{name}", digest)):
            yield one


def _newest(found: Verification, name: str, digest: str) -> Judged | None:
    newest: Judged | None = None
    for one in _about_suite(found, name, digest):
        if newest is None or not _revokes_nothing(one.statement, newest.statement):
            newest = one
    return newest


def _revokes_nothing(one: Statement | None, before: Statement | None) -> bool:
    """Whether `one` is a pass of a run that began before the run that did not pass, and that was recorded first."""
    if one is None or before is None or one.predicate.get("result") != "PASSED":
        return False
    failed = before.predicate.get("result") != "PASSED"
    return failed and claims_of(one.predicate).began_before(claims_of(before.predicate))


def _suite_of(statement: Statement) -> tuple[str, str]:
    configuration = statement.predicate.get("configuration")
    first = configuration[0] if isinstance(configuration, list) and configuration else None
    digest = first.get("digest") if isinstance(first, dict) else None
    sha256 = digest.get("sha256") if isinstance(digest, dict) else None
    return (str(first.get("name")) if isinstance(first, dict) else "", f"sha256:{sha256}")


def _enough(found: Verification, policy: TrustPolicy, newest: Judged, name: str, digest: str) -> bool:
    """Whether as many distinct keys and people say so as the signer's role demands."""
    if not isinstance(newest.verdict, Accepted):
        return False
    role = policy.trust.roles[newest.verdict.role]
    signers = []
    for one in _about_suite(found, name, digest):
        agrees = one.statement is not None and one.statement.predicate.get("result") == "PASSED"
        if agrees and isinstance(one.verdict, Accepted) and one.verdict.role == role.name:
            signers.append(one.verdict)
    return policy.counts(signers) >= role.threshold


def _disagreements(
    statement: Statement, suite: Mapping[str, Any], counted: Mapping[str, int], made: Digests
) -> Iterator[str]:
    predicate, totals = statement.predicate, suite["totals"]
    if predicate.get("details") is None:
        yield "it was signed by an earlier plangate, whose fingerprint covered limits, too: validate it again"
        return
    if predicate.get("details") != made.details:
        yield "what the results tell of limits is not what was signed"
    if predicate.get("fingerprint") != made.fingerprint:
        yield "the results are not those that were signed"
    signed = predicate.get("totals")
    if isinstance(signed, dict) and signed.get("expected") != totals.get("expected"):
        yield "another number of cells was signed"
    for verdict in ("passed", "leak", "lockout", "mismatch", "flaky", "error"):
        if counted.get(_TOTALS.get(verdict, verdict), 0) != totals.get(verdict):
            yield f"the results do not add up to its totals ({verdict})"
    if predicate.get("result") == "PASSED" and counted.get("pass", 0) != totals.get("expected"):
        yield "a pass was signed, and not every result is one"


def _kind(one: Judged) -> str:
    return one.statement.predicate_type.rstrip("/").split("/")[-2] if one.statement else "unreadable"


def _never_checked() -> list[str]:
    return [
        "that your own deployment decides alike: `plangate reproduce` runs the same cells against it",
        "that the publisher shows others the same ledger: keep its checkpoint and compare with the next bundle",
        "the hour of each statement: the ledger proves the order of statements, not the clock",
    ]
