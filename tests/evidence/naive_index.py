"""The index as its definition says, computed anew from a dictionary of lists: an oracle for tree and proofs."""

import hashlib

DOMAIN = b"aloi.dev/lookup/v1\n"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def place(subject):
    return sha(DOMAIN, b"\0", bytes.fromhex(subject.removeprefix("sha256:")))


def digits(at):
    return "".join(f"{byte:08b}" for byte in at)


def list_head(indices):
    """RFC 6962 section 2.1, word by word."""
    if len(indices) == 1:
        return sha(b"\0", indices[0].to_bytes(8, "big"))
    split = 1
    while split * 2 < len(indices):
        split *= 2
    return sha(b"\1", list_head(indices[:split]), list_head(indices[split:]))


def leaf(at, indices):
    return sha(DOMAIN, b"\2", at, len(indices).to_bytes(8, "big"), list_head(indices))


def tree(places, prefix=""):
    """The hash of all lists whose place begins with the prefix; `places` maps places to lists."""
    below = [at for at in places if digits(at).startswith(prefix)]
    if len(below) < 2:
        return leaf(below[0], places[below[0]]) if below else sha(DOMAIN, b"\1")
    within = {at: places[at] for at in below}
    return sha(DOMAIN, b"\3", tree(within, prefix + "0"), tree(within, prefix + "1"))


def way(places, at):
    """The siblings on the way to a place, from the root down, and the place whose leaf ends it, if any."""
    siblings, prefix, within = [], "", dict(places)
    while len(within) > 1:
        side = digits(at)[len(prefix)]
        siblings.append(tree(within, prefix + ("1" if side == "0" else "0")))
        prefix += side
        within = {each: within[each] for each in within if digits(each).startswith(prefix)}
    return tuple(siblings), next(iter(within), None)
