"""What somebody who remembers can see: that a later answer of a log does not continue an earlier one.

Keep the answers themselves, as files: two that contradict each other, both under the log's signature, convict it.
"""

from collections.abc import Sequence

from aloi.errors import EvidenceError
from aloi.evidence.decoding import shown
from aloi.evidence.lookup import Complete
from aloi.evidence.merkle import verify_consistency
from aloi.evidence.naming import Naming, names
from aloi.evidence.trustpolicy import Logged
from aloi.translation import N_


def verify_continued(earlier: Complete, later: Complete, proof: Sequence[bytes]) -> None:
    """Raises EvidenceError unless the later answer holds all of the earlier one, and adds only what was logged since.

    `proof` is the log's consistency proof between the two sizes. Refused: 'other-log', 'went-back', 'not-consistent',
    'other-index' (one size, two indexes), 'unlisted' (an entry was taken out of a list), 'late-filing' (an entry that
    was there at the time of the earlier answer, which left it out).
    """
    _check_same_log(earlier.origin, later.origin)
    if later.size < earlier.size:
        raise _refusal(
            N_("the log had {before} entries, and now has {after}"), "went-back", before=earlier.size, after=later.size
        )
    _check_same_tree(earlier, later, proof)
    if earlier.size == later.size and earlier.index != later.index:
        raise _refusal(N_("the log signed two indexes of the same {size} entries"), "other-index", size=later.size)
    for subject in earlier.lists.keys() & later.lists.keys():
        before, now = set(earlier.lists[subject]), set(later.lists[subject])
        if gone := before - now:
            raise _refusal(
                N_("entry {index} is no longer in the list of {subject}"), "unlisted", index=min(gone), subject=subject
            )
        if late := {each for each in now - before if each < earlier.size}:
            raise _refusal(
                N_("entry {index} was logged before the earlier answer, which hid it from {subject}"),
                "late-filing",
                index=min(late),
                subject=subject,
            )


def verify_listed(
    told: Complete, entry: bytes, logged: Logged, proof: Sequence[bytes] = (), naming: Naming = names
) -> None:
    """Raises EvidenceError where an answer leaves out an entry that was proved to be logged.

    For authors: is my result among what the log tells about the system? `proof` is the log's consistency proof between
    the size of `logged` and the answer's, where they differ. Refused: 'other-log', 'not-consistent', 'omitted'.
    """
    _check_same_log(logged.origin, told.origin)
    if logged.size <= told.size:
        _check_same_tree(logged, told, proof)
    else:
        _check_same_tree(told, logged, proof)
    for subject in naming(entry).subjects:
        if logged.index < told.size and logged.index not in told.lists.get(subject, (logged.index,)):
            raise _refusal(
                N_("entry {index} of the log is about {subject}, and its answer leaves it out"),
                "omitted",
                index=logged.index,
                subject=subject,
            )


def _check_same_log(expected: str, got: str) -> None:
    if got != expected:
        raise _refusal(
            N_("the answer is of the log “{got}”, not of “{expected}”"),
            "other-log",
            got=shown(got),
            expected=shown(expected),
        )


def _check_same_tree(first: Complete | Logged, second: Complete | Logged, proof: Sequence[bytes]) -> None:
    if first.size:  # every tree continues the empty one
        verify_consistency(first.size, second.size, first.root, second.root, proof)


def _refusal(message: str, reason: str, **facts: object) -> EvidenceError:
    return EvidenceError(
        message,
        reason=reason,
        remedy=N_("keep both answers and publish them: each is signed by the log, and they contradict each other"),
        **facts,
    )
