"""PROVE: see norms through evidence, without ever saying more than the evidence does.

A *framework* is a norm at an edition; its requirements are related to Aloi's own *controls* by typed, dated rows, and
a control is judged by findings, effects and plans:

    >>> from aloi.standards.coverage import cover, tally
    >>> from aloi.standards.frameworks import framework
    >>> coverage = cover(framework("owasp-llm@2026"), evidence=[])
    >>> [(count.state, count.total) for count in tally(coverage)]
    [('not tested', 9), ('needs a document', 1)]

What binds whom and when is a question to a dated table of the law:

    >>> from datetime import date
    >>> from aloi.standards.applicability import applicability
    >>> from aloi.standards.applies import Situation, applies
    >>> paper = Situation(roles=("deployer",), classes=(), day=date(2026, 11, 22), deep_fakes=True)
    >>> [found.provision.provision for found in applies(applicability(), paper).binding()]
    ['Art. 4(1)', 'Art. 50(4) 1st subpara.', 'Art. 50(5)', 'Art. 75(1)']
"""
