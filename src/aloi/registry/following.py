"""A witness that reads what it cosigns: it copies a log entry by entry, and computes its tree and its index anew.

With such a witness's cosignature a reader knows that the look-ups under a head leave nothing out.
"""

from collections.abc import Collection

from aloi.evidence import checkpoints, notes
from aloi.evidence.notes import Note, NoteKey
from aloi.registry import monitor
from aloi.registry.copies import FolderCopy
from aloi.registry.mirror import Mirror
from aloi.registry.mirroring import entries, pull_whole, remote
from aloi.registry.monitor import Replay


class Follower:
    """Follows one log, from where it is served into a copy."""

    def __init__(self, keys: Collection[NoteKey], url: str, copy: FolderCopy) -> None:
        self._keys = keys
        self._url = url
        self._copy = copy
        self._replay = Replay()

    def judge(self, note: Note) -> None:
        """Copy what the head covers, and compare head and index with it. No event loop may run in this thread.

        Raises EvidenceError as `Mirror.pull` declines and as `monitor.check`; RegistryError where the log cannot be
        read, OSError where the copy cannot be kept.
        """
        head = checkpoints.parse(note.text)
        with remote(self._url, notes.write(note)) as source:
            pull_whole(Mirror(head.origin, self._keys, source, self._copy))
        if head.size < self._replay.state().size:  # a larger head was judged and not cosigned
            self._replay = Replay()
        self._replay.take(entries(self._copy, self._replay.state().size, head.size))
        monitor.check(head, self._replay.state())
