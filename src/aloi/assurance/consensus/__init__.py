"""What several evaluators' verified bundles on one system come to together, hazard by hazard.

    from aloi.assurance.consensus.account import read_beside
    from aloi.assurance.consensus.results import open_bundles
    from aloi.assurance.consensus.view import Wanted, consensus

    sources = open_bundles([("north.json", north), ("south.json", south)], keys)
    found = consensus(sources, read_beside(sources, statements, keys), Wanted(hazards=("data-disclosure",)))
    found.hazards[0].pools[0].question.standing

Alike results (`likeness`) fall into independence clusters (`clusters`), which are pooled from three on (`pooled`); what
was said of them since is told (`account`), and how certain the answer is, step by step (`certainty`).
"""
