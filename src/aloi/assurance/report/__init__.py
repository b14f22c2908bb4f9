"""A run as one self-contained HTML file that a person wants to read, in English or in French.

>>> from aloi.assurance.report.page import render  # doctest: +SKIP
>>> Path("report.html").write_text(render(story, "en"), encoding="utf-8")  # doctest: +SKIP
"""
