"""Collect the sentences that a person can see, merge them into the French catalogue and compile it.

`python -m tools.messages update` writes the template, the catalogue and its compiled form;
`python -m tools.messages check` changes nothing, lists every fault and exits with 1 where there is one.
"""

import ast
import re
import string
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PLACES = (*sorted((ROOT / "src" / "aloi").rglob("*.py")), ROOT / "tools" / "click_messages.py")
PAGES = tuple(sorted((ROOT / "src" / "aloi").rglob("templates/*.html")))
LOCALE = ROOT / "src" / "aloi" / "locale"
TEMPLATE = LOCALE / "messages.pot"
FRENCH = LOCALE / "fr" / "LC_MESSAGES" / "messages.po"
COMPILED = FRENCH.with_suffix(".mo")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
HEADER = ("Content-Type", "Content-Transfer-Encoding", "Language", "MIME-Version", "Plural-Forms", "Project-Id-Version")
# A narrow no-break space stands before ; : ! ? % » and after «; never an ordinary one, never none after a letter.
# Between letters stands the typographic apostrophe, in French; a straight one opens and closes what is quoted as code.
APOSTROPHE = re.compile(r"\w'\w")
SPACING = re.compile(r"[ \u00a0][;:!?%»]|[\w)}»][;!?»](?!\w)|[\w)}»]:(?=\s|$)|«[^\u202f]")


class Sentences(Catalog):
    """A catalogue whose header holds no date and no person, so that the same sentences give the same bytes."""

    mime_headers = property(
        lambda self: [(name, value) for name, value in self._get_mime_headers() if name in HEADER],
        lambda self, headers: self._set_mime_headers(headers),
    )


def extract() -> Sentences:
    """Every sentence of the sources, sorted, without its place: moving code changes nothing here."""
    found: dict[str | tuple[str, ...], None] = {}
    for path in (*PLACES, *PAGES):
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        options = {} if path.suffix == ".py" else {"trim_blocks": "true", "lstrip_blocks": "true"}
        for _, message, _, _ in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            found.setdefault(message if isinstance(message, str) else tuple(message))
    return _catalogue(None, sorted(found, key=lambda message: message if isinstance(message, str) else message[0]))


def _catalogue(locale: str | None, messages: list[str | tuple[str, ...]]) -> Sentences:
    catalogue = Sentences(
        locale=locale, project="aloi", version="1", header_comment="# Sentences of Aloi.", fuzzy=False
    )
    for message in messages:
        catalogue.add(message)
    return catalogue


def merge(template: Sentences, stored: Catalog) -> Sentences:
    """The French catalogue with exactly the template's sentences, and the translations that are stored."""
    merged = _catalogue("fr", [_sentence(message) for message in template if message.id])
    for message in merged:
        known = stored.get(_key(message)) if message.id else None
        if known is not None and isinstance(known.id, str) == isinstance(message.id, str):
            message.string, message.flags = known.string, known.flags
    return merged


def read_french() -> Catalog:
    """The stored catalogue, or an empty one."""
    if not FRENCH.exists():
        return _catalogue("fr", [])
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def written(catalogue: Catalog) -> bytes:
    """A catalogue as the text of a .po file."""
    text = BytesIO()
    write_po(text, catalogue, width=120, no_location=True)
    return text.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue as the bytes of a .mo file."""
    data = BytesIO()
    write_mo(data, catalogue)
    return data.getvalue()


def update() -> list[str]:
    """Write all three files; what is left to translate is returned."""
    template = extract()
    french = merge(template, read_french())
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    TEMPLATE.write_bytes(written(template))
    FRENCH.write_bytes(written(french))
    COMPILED.write_bytes(compiled(french))
    return [*unreadable(), *faults(french)]


def check() -> list[str]:
    """Every fault, as a sentence; empty where the catalogue is complete."""
    template = extract()
    stored = read_french()
    french = merge(template, stored)
    found = [*unreadable(), *faults(french)]
    known = {_key(message) for message in template}
    found += [f"no longer in the sources: {_key(message)!r}" for message in stored if _key(message) not in known]
    files = {TEMPLATE: written(template), FRENCH: written(french), COMPILED: compiled(french)}
    stale = [path for path, data in files.items() if not path.exists() or path.read_bytes() != data]
    return found + [f"not up to date: {path.relative_to(ROOT)} (run python -m tools.messages update)" for path in stale]


def unreadable() -> Iterator[str]:
    """Sentences that cannot be collected, because they are not written out where they are marked."""
    for path in PLACES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS):
                continue
            if not all(isinstance(argument, ast.Constant) for argument in node.args[:1]):
                yield f"not extracted: {path.relative_to(ROOT)}:{node.lineno} marks something else than a sentence"


def faults(catalogue: Catalog) -> Iterator[str]:
    """What is wrong with the translations."""
    for message in catalogue:
        if message.id:
            yield from (f"{fault}: {_key(message)!r}" for fault in _faults(message))


def _faults(message: Message) -> Iterator[str]:
    translations = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if not translations or not all(translations):
        yield "not translated"
        return
    if message.fuzzy:
        yield "fuzzy"
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    # A singular may write out its number, so a plural form may use the facts of either form.
    wanted = {frozenset(_placeholders(source)) for source in sources}
    if any(frozenset(_placeholders(translation)) not in wanted for translation in translations):
        yield "other placeholders"
    if any(SPACING.search(_without_code(translation)) for translation in translations):
        yield "wrong space at a punctuation mark"
    if any(APOSTROPHE.search(_without_code(translation)) for translation in translations):
        yield "a straight apostrophe"


def _placeholders(sentence: str) -> Iterator[str]:
    """The facts of a sentence: {name}, and %(name)s or %s."""
    try:
        yield from (f"{{{name}}}" for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)
    except ValueError as error:
        yield f"unreadable: {error}"
    yield from re.findall(r"%\(\w+\)[sd]|%[sd]", sentence)


def _without_code(sentence: str) -> str:
    """A sentence without what stands in backquotes, which has its own punctuation."""
    return re.sub("`[^`]*`", "", sentence)


def _sentence(message: Message) -> str | tuple[str, ...]:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def main(arguments: list[str]) -> int:
    """Run `update` or `check`; 1 where `check` finds a fault, 2 where it is asked something else."""
    if arguments not in (["update"], ["check"]):
        sys.stderr.write("usage: python -m tools.messages update|check\n")
        return 2
    found = update() if arguments == ["update"] else check()
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return 1 if found and arguments == ["check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
