"""A verified bundle in others' formats: OSCAL, CycloneDX, SARIF, and an in-toto summary. Never the stored truth."""
