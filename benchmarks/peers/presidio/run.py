"""Presidio over texts on standard input, one JSON object a line (`text`, `language`); runs in Presidio's environment.

    python run.py default|configured < texts.jsonl > found.jsonl

`default` leaves the recognisers as they are installed. `configured` registers those that know no country (IBAN, card,
e-mail, Internet address, telephone with our regions) for both languages. Structured data needs no language model:
English texts are cut into words by an empty pipeline, French ones by the small French one. A line of output is the
list of [type, start, end] found, or {"error": sentence}.
"""

import json
import sys
import tempfile
from pathlib import Path

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    PhoneRecognizer,
)

LANGUAGES = ("en", "fr")
REGIONS = {"fr": ("FR",), "en": ("FR", "GB")}


def engine(mode: str, folder: Path) -> AnalyzerEngine:
    spacy.blank("en").to_disk(folder / "en")
    models = [
        {"lang_code": "en", "model_name": str(folder / "en")},
        {"lang_code": "fr", "model_name": "fr_core_news_sm"},
    ]
    nlp = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    if mode == "default":
        return AnalyzerEngine(nlp_engine=nlp)
    registry = RecognizerRegistry(supported_languages=list(LANGUAGES))
    for language in LANGUAGES:
        for kind in (CreditCardRecognizer, EmailRecognizer, IbanRecognizer, IpRecognizer):
            registry.add_recognizer(kind(supported_language=language))
        registry.add_recognizer(PhoneRecognizer(supported_language=language, supported_regions=REGIONS[language]))
    return AnalyzerEngine(nlp_engine=nlp, registry=registry, supported_languages=list(LANGUAGES))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        analyzer = engine(sys.argv[1], Path(folder))
        for line in sys.stdin:
            row = json.loads(line)
            try:
                found = analyzer.analyze(row["text"], language=row["language"])
                print(json.dumps([[one.entity_type, one.start, one.end] for one in found]))
            except ValueError as error:
                print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    main()
