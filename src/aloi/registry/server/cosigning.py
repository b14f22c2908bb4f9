"""A log's server and its witnesses: each new checkpoint is shown to all, and who is missing is told once."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aloi.errors import RegistryError
from aloi.evidence.notes import Note, NoteKey
from aloi.registry.witnessclient import Missing, Prove, WitnessAddress, Witnesses, open_witnesses
from aloi.translation import N_

Watch = Callable[[str, str], None]
BACK = frozenset({"ahead", "conflict"})


class Cosigning:
    """Gives a checkpoint with what witnesses signed of it. `watch` is told the address of a witness, and its reason.

    A reason is told when it changes; an empty one says that the witness cosigns again.
    """

    def __init__(self, witnesses: Witnesses, prove: Prove, watch: Watch) -> None:
        self._witnesses = witnesses
        self._prove = prove
        self._watch = watch
        self._begun = False
        self._reasons: dict[str, str] = {}

    async def __call__(self, checkpoint: Note) -> Note:
        """Raises RegistryError where, at its first checkpoint, a witness says that it cosigned another or a larger one.

        A log that was put back to an older copy would otherwise go on, and sign two histories. Later such words are
        told and do not stop it: a log does not go back while it runs, and one witness's word must not end it.
        """
        cosigned = await self._witnesses.cosign(checkpoint, self._prove)
        back = [each for each in cosigned.missing if each.reason in BACK]
        if back and not self._begun:
            raise RegistryError(
                N_("the witness at {url} says that it cosigned a head of {size} entries that this log does not have"),
                remedy=N_("restore the newest copy of the log; if the witness errs, leave it out of registry.yaml"),
                url=back[0].url,
                size=back[0].size,
            )
        self._begun = True
        self._tell(cosigned.missing)
        return cosigned.note

    def _tell(self, missing: tuple[Missing, ...]) -> None:
        # one that rests or is late is still missing for the reason that was told
        now = {each.url: each.reason for each in missing}
        for url, reason in now.items():
            if url not in self._reasons or (reason not in {"resting", "late"} and reason != self._reasons[url]):
                self._reasons[url] = reason
                self._watch(url, reason)
        for url in self._reasons.keys() - now.keys():
            del self._reasons[url]
            self._watch(url, "")


@asynccontextmanager
async def open_cosigning(witnesses: Mapping[NoteKey, str], prove: Prove, watch: Watch) -> AsyncIterator[Cosigning]:
    """The witnesses of a configuration, by their keys; those at one address are asked together."""
    keys: dict[str, list[NoteKey]] = {}
    for key, url in witnesses.items():
        keys.setdefault(url, []).append(key)
    async with open_witnesses([WitnessAddress(url, tuple(found)) for url, found in keys.items()]) as opened:
        yield Cosigning(opened, prove, watch)
