"""Prompts that somebody listed, as a probe and as what the plan records of them."""

from aloi.evidence.records import CorpusIdentity
from aloi.science.probe import Probe, probe_for
from aloi.science.probes.corpus import CorpusProbe
from aloi.system.reading import System

# What the plan calls the probe of such a hazard; the corpus has a name of its own.
CORPUS = "corpus"


def probe_in(system: System, hazard: str, name: str) -> Probe:
    """The probe of a hazard: its corpus where the system has one, else the plug-in of that name."""
    corpus = system.corpora.get(hazard)
    return CorpusProbe(hazard, corpus) if corpus else probe_for(name)


def identity(system: System, hazard: str, probe: Probe) -> CorpusIdentity | None:
    """What the plan records of a hazard's corpus, or of one that its probe draws from; None where it makes requests."""
    corpus = system.corpora.get(hazard)
    if corpus is None:
        known: CorpusIdentity | None = getattr(probe, "corpus", None)
        return known
    return CorpusIdentity(
        name=corpus.name,
        digest=corpus.digest(),
        rows=len(corpus.rows),
        seeds=corpus.seeds(),
        licence=corpus.licence,
        source=corpus.source,
        revision=corpus.revision,
        left_out=corpus.left_out,
    )
