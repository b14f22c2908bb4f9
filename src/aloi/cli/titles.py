"""What a hazard is called on the terminal."""

from aloi.cli.speech import language, say
from aloi.evidence.records import Counted
from aloi.science import hazards
from aloi.translation import N_


def hazard_title(slug: str, counts: Counted = "failures") -> str:
    """A hazard's title, and beside it that its rate is what a judge says, where it is."""
    title = hazards.hazard_title(slug, language())
    return title if counts == "failures" else say(N_("{hazard} (judge-rated)"), hazard=title)
