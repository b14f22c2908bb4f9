"""Files that people attached: by digest, with who approved them and until when they count."""

from collections.abc import Iterator

from aloi.assurance.drafts.dossier import Dossier
from aloi.assurance.drafts.identity import Line
from aloi.assurance.drafts.markdown import Markdown, Pen, plain, whole
from aloi.evidence.vouching import Attachment
from aloi.standards.hub import hub
from aloi.standards.judging import EvidenceItem
from aloi.translation import N_


def documents(dossier: Dossier, pen: Pen, controls: tuple[str, ...]) -> Iterator[Line]:
    """The files that answer one of the controls; one that does not count today leaves the gap open."""
    for item in dossier.attached:
        if isinstance(item.record, Attachment) and item.record.control in controls:
            yield attached(item, item.record, dossier, pen)


def attached(item: EvidenceItem, record: Attachment, dossier: Dossier, pen: Pen) -> Line:
    """One attached file."""
    titles = {one.id: one.title.said(pen.language) for one in hub().controls}
    named = [Markdown(f"{plain(one.name)} {whole(one.fingerprint)}") for one in item.subject]
    said = N_("Document {name}, approved by {who} on {day}, for “{control}”; nothing in it was read.")
    day = pen.figures.day(record.approved_on)
    control = titles.get(record.control, record.control)
    told = [pen.say(said, name=pen.listed(named), who=record.approved_by, day=day, control=control)]
    today = dossier.today.isoformat()
    counts = record.approved_on <= today <= (record.valid_until or today)
    if record.valid_until:
        until = pen.figures.day(record.valid_until)
        told.append(pen.say(N_("Valid until {day}."), day=until))
    if not counts:
        told.append(pen.say(N_("It does not count today.")))
    return Line(Markdown(" ".join(told)), (item.digest,), counts)
