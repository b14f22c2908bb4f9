"""Two forms of one request, each asked twice in a conversation of its own: what differs can be told from chance."""

import msgspec

from aloi.science.items import Item

# The first form, the other one, and both again: neither is always asked first or last.
FORMS = (0, 1, 0, 1)


def twins(item: Item, other: str) -> Item:
    """An item whose request is followed by its other form; each conversation begins with an empty memory.

    The expectation's `forms` tell the scorer which form each answer belongs to.
    """
    (first,) = (message.content for message in item.request.messages)
    expectation = msgspec.structs.replace(item.expectation, details={"forms": list(FORMS)})
    return msgspec.structs.replace(
        item, seed=f"{item.seed}\n{other}", sequel=(other, first, other), expectation=expectation
    )
