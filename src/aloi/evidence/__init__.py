"""What is claimed, by whom, over which bytes; verified offline.

    from aloi.evidence.bundle import pack
    from aloi.evidence.envelope import sign
    from aloi.evidence.statement import Subject, state
    from aloi.evidence.verification import verify_bundle

    subject = Subject.of("banque-azur", fingerprint)
    plan = state(plan_record, [subject])
    finding = state(finding_record, [subject], plan=digest(plan))
    bundle = pack([sign(plan, key), sign(finding, key)], [key.public], key)
    verification = verify_bundle(bundle, [key.public])

A statement says something of a system, an envelope signs it, a bundle holds all that a stranger needs to check it.
"""
