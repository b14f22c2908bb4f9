"""Remedies: guards that screen what passes, hardenings that change what the model is shown.

    >>> from aloi.solutions.catalogue import build
    >>> remedy = build("secret-filter", {"secrets": ["AZUR-7731-KESTREL"]})
    >>> remedy.identity.name
    'secret-filter'

`guarded.GuardedTarget` puts remedies around a target, `guarded.replay` re-reads recorded answers through them at no
query, `selection.select` picks the smallest set that meets a policy, and `gate.decide` may still refuse it.
"""
