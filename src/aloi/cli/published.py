"""Proofs that the statements of a bundle are logged: the files that are read, and what they show in words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from aloi.cli.speech import say, tell
from aloi.errors import AskerError
from aloi.evidence import bundle, policyfile
from aloi.evidence.decoding import LIMIT
from aloi.evidence.publication import Publication, Registration
from aloi.evidence.trustpolicy import Policy
from aloi.evidence.verification import Verification
from aloi.translation import N_

ENDING, FOLDER = ".tlog-proof", ".proofs"
MOST = 1_000
NAMES = {
    "plan": N_("plan"),
    "finding": N_("finding"),
    "hunt": N_("hunt"),
    "benign-rate": N_("ordinary"),
    "effect": N_("effect"),
    "coverage": N_("coverage"),
    "monitoring": N_("watched"),
    "manifest": N_("manifest"),
}


class Logs(NamedTuple):
    """Whom to believe, and the proofs by the names of their files."""

    policy: Policy | None
    proofs: Mapping[str, bytes]


def read(file: Path, policy: Path | None, named: Sequence[Path]) -> Logs:
    """The policy, and the proofs that were named or, where none was, those that lie beside the bundle.

    Raises AskerError where a file cannot be read or proofs are named without a policy, and InvalidFile.
    """
    if policy is None:
        if named:
            raise AskerError(
                N_("proofs were named, and no policy says which logs and witnesses you believe"),
                remedy=N_("name one with --policy; `docs/evidence.md` shows how it is written"),
            )
        if _beside(file):
            tell(N_("Proofs that this is logged lie beside the bundle. Name a policy with --policy to check them."))
        return Logs(None, {})
    believed = policyfile.read(bundle.read(policy, LIMIT), str(policy))
    return Logs(believed, {str(path): bundle.read(path, LIMIT) for path in named or _beside(file)})


def lines(verification: Verification) -> Iterator[str]:
    """What logs are proved to hold, and how the plan stands to its results."""
    if not verification.published:
        return
    yield from ("", say(N_("What is in a log, by your policy:")))
    for each in verification.published:
        yield f"  {_statement(each)}"
    told = {each.digest for each in verification.published}
    missing = [claim for claim in verification.claims if claim.digest not in told]
    if missing:
        sentence = N_("{missing} of {count} statements have no proof of their own.")
        if any(each.name == "manifest" for each in verification.published):
            sentence = N_("{missing} of {count} statements have no proof of their own; the manifest names them.")
        yield "  " + say(sentence, missing=len(missing), count=len(verification.claims))
    for registration in verification.registered:
        yield f"  {_registration(registration)}"


def _statement(one: Publication) -> str:
    facts = {"name": say(NAMES.get(one.name, one.name or "-")).ljust(11), "index": one.index, "log": one.log}
    if one.by is None:
        return say(N_("{name} entry {index} of {log}; your policy asks for no witness"), **facts)
    return say(
        N_("{name} entry {index} of {log}, seen by {time} ({operators})"),
        time=_moment(one.by),
        operators=", ".join(dict.fromkeys(each.operator for each in one.seen)),
        **facts,
    )


def _registration(one: Registration) -> str:
    facts = {"log": one.log, "plan": _moment(one.plan_by), "results": one.results}
    match one.order:
        case "alone":
            return say(N_("The plan was in {log} by {plan}. No result is proved to be there."), **facts)
        case "after":
            return say(
                N_("The plan was in {log} by {plan}. A result was in a log before that: this registers nothing."),
                **facts,
            )
        case "logged-before":
            return say(
                N_("The plan was in {log} by {plan}, before its results. No witness is shown to have looked between."),
                **facts,
            )
        case "seen-before":
            return say(
                N_(
                    "The plan was in {log} by {plan}, and none of the results shown here ({results}). The first of "
                    "these was there by {first}: {gap} between, by the witnesses' clocks."
                ),
                first=_moment(one.results_by or 0),
                gap=_span(one.gap or 0),
                **facts,
            )


def _beside(file: Path) -> list[Path]:
    """`bundle.json.tlog-proof` and `bundle.json.….tlog-proof` beside `bundle.json`, and all in `bundle.proofs`."""
    found = [path for path in _proofs(file.parent) if path.name.startswith(f"{file.name}.")]
    found += _proofs(file.with_suffix(FOLDER))
    if len(found) > MOST:
        raise AskerError(
            N_("{count} proofs lie beside the bundle; at most {limit} are read"),
            remedy=N_("name with --proof those that count"),
            count=len(found),
            limit=MOST,
        )
    return found


def _proofs(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(ENDING))
    except OSError:  # it is not there; that the bundle is not is told when that is read
        return []


def _moment(second: int) -> str:
    """RFC 3339, or the bare second where that cannot write it."""
    try:
        return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError):
        return str(second)


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60} h {minutes % 60} min {rest} s"
