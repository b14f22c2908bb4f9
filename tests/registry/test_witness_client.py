"""A log asks its witnesses: honest ones, ones that are down, and ones that lie."""

import asyncio
import time

import pytest
from benchmarks.registry.logs import fixed_key
from witness_room import KEY, NAME, NOW, log_of, pretending, reply, running

from aloi.errors import AskerError, RegistryError
from aloi.evidence import cosignatures, notes
from aloi.registry import witnessclient
from aloi.registry.heads import MemoryHeads
from aloi.registry.witness import Cosigned as Signed
from aloi.registry.witness import Witness
from aloi.registry.witnessclient import WitnessAddress, cosign, open_witnesses

LOG = log_of(20)
PUBLIC = cosignatures.witness_key(NAME, KEY)
SIZE_TYPE = "Content-Type: text/x.tlog.size"


def head(size, log=LOG):
    return notes.read(log.signed(size))


def prove(old, new):
    return LOG.proof(old, new)


def address(url, name=NAME, key=21):
    return WitnessAddress(url, (cosignatures.witness_key(name, fixed_key(key)),))


def signers(cosigned, *addresses):
    keys = [key for each in addresses for key in each.keys]
    return [each.key.name for each in cosignatures.verify(cosigned.note, keys)]


def reasons(cosigned):
    return [each.reason for each in cosigned.missing]


@pytest.fixture
def hurried(monkeypatch):
    """Nobody is waited for as long as in the world."""
    monkeypatch.setattr(witnessclient, "PATIENCE", 0.3)
    monkeypatch.setattr(witnessclient, "LONGEST", 0.6)
    monkeypatch.setattr(witnessclient, "REST", 0.05)


async def test_every_witness_cosigns():
    async with running(LOG) as one, running(LOG, name="other.example/w", key=22) as two:
        asked = [address(one.url), address(two.url + "/", "other.example/w", 22)]
        cosigned = await cosign(head(9), prove, asked)
        assert signers(cosigned, *asked) == [NAME, "other.example/w"]
        assert cosigned.missing == ()
        assert cosigned.note.signatures[0] == head(9).signatures[0]
        again = await cosign(cosigned.note, prove, [address(f"{one.url}/add-checkpoint")])
        assert len(again.note.signatures) == 3  # a line is replaced, not doubled


async def test_from_one_head_to_the_next_one_request_is_enough():
    async with running(LOG) as witness, open_witnesses([address(witness.url)]) as asked:
        for size in (0, 5, 5, 9, 20):
            assert reasons(await asked.cosign(head(size), prove)) == []
        assert all(isinstance(answer, Signed) for _, answer in witness.watched)
        assert len(witness.watched) == 5


async def test_a_witness_that_knows_an_earlier_head_is_given_the_proof_from_there():
    async with running(LOG) as witness:
        for size in (5, 13):
            assert reasons(await cosign(head(size), prove, [address(witness.url)])) == []
        told = [getattr(answer, "reason", "") for _, answer in witness.watched]
    assert told == ["", "old-size", ""]


async def test_a_witness_that_forgot_begins_again():
    store = MemoryHeads()
    async with running(LOG, store=store) as witness, open_witnesses([address(witness.url)]) as asked:
        await asked.cosign(head(9), prove)
        store.known.clear()
        assert reasons(await asked.cosign(head(12), prove)) == []


async def test_a_witness_that_is_ahead_says_so():
    """As after a log was put back to an older copy."""
    async with running(LOG) as witness:
        await cosign(head(20), prove, [address(witness.url)])
        (missing,) = (await cosign(head(9), prove, [address(witness.url)])).missing
    assert (missing.reason, missing.size) == ("ahead", 20)


async def test_a_witness_that_saw_another_head_of_this_size():
    async with running(LOG) as witness:
        await cosign(notes.read(LOG.fork(3).signed(9)), prove, [address(witness.url)])
        (missing,) = (await cosign(head(9), prove, [address(witness.url)])).missing
    assert (missing.reason, missing.size) == ("conflict", 9)


async def test_a_log_that_cannot_prove_gets_no_cosignature():
    async with running(LOG) as witness:
        await cosign(head(5), prove, [address(witness.url)])

        def gone(*_):
            raise RegistryError("the database is gone")

        assert reasons(await cosign(head(9), gone, [address(witness.url)])) == ["no-proof"]
        wrong = await cosign(head(9), lambda *_: [bytes(32)], [address(witness.url)])
        assert reasons(wrong) == ["refused"]
        assert "422 not-consistent" in wrong.missing[0].problem


def honest(size=9, name=NAME, key=KEY):
    """The lines of an honest witness."""
    witness = Witness(name, [key], {LOG.origin: [LOG.public]}, MemoryHeads())
    answer = witness.add_checkpoint(0, [], LOG.signed(size), NOW)
    return notes.write(notes.Note("\n", answer.lines)).removeprefix(b"\n\n")


ANSWERS = {
    "lines of another head": (reply("200 OK", honest(12)), "bad-signature"),
    "lines of somebody else": (reply("200 OK", honest(9, "x.example/w", fixed_key(30))), "no-known-signature"),
    "its name over another's key": (reply("200 OK", honest(9, NAME, fixed_key(30))), "no-known-signature"),
    "no lines": (reply("200 OK"), "note-form"),
    "no text": (reply("200 OK", b"\xff\xfe"), "not-utf8"),
    "a page": (reply("200 OK", b"<html>welcome</html>"), "note-form"),
    "more than is read": (reply("200 OK", b"x" * (witnessclient.ANSWER + 1)), "answer"),
    "a redirection": (reply("302 Found", b"", "Location: http://127.0.0.1:1/"), "refused"),
    "not found": (reply("404 Not Found", b"unknown-origin: no log\n"), "refused"),
    "a fault of its own": (reply("500 Internal Server Error"), "refused"),
    "a success of another kind": (reply("204 No Content"), "refused"),
    "a conflict without a size": (reply("409 Conflict", b"", SIZE_TYPE), "old-size"),
    "a conflict with words": (reply("409 Conflict", b"not now\n", SIZE_TYPE), "old-size"),
    "a conflict at the size that was sent": (reply("409 Conflict", b"0\n", SIZE_TYPE), "conflict"),
    "a conflict beyond the log": (reply("409 Conflict", b"9223372036854775807\n", SIZE_TYPE), "ahead"),
    "no HTTP": (b"220 smtp.example ESMTP\r\n", "unreachable"),
    "nothing": (b"", "unreachable"),
    "half an answer": (reply("200 OK", honest())[:-20], "unreachable"),
}


@pytest.mark.parametrize(("answer", "reason"), ANSWERS.values(), ids=ANSWERS)
async def test_other_answers_are_no_cosignature_and_harm_no_other(answer, reason):
    async with pretending(answer) as liar, running(LOG, name="other.example/w", key=22) as witness:
        asked = [address(liar), address(witness.url, "other.example/w", 22)]
        cosigned = await cosign(head(9), prove, asked)
    assert signers(cosigned, *asked) == ["other.example/w"]
    assert reasons(cosigned) == [reason]
    assert cosigned.missing[0].url == liar


async def test_sizes_that_change_with_every_answer_are_followed_three_times():
    asked = []

    async def moving(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            asked.append(int(body.split(b"\n")[0].removeprefix(b"old ")))
            content = b"%d\n" % ((asked[-1] + 1) % 9)
            writer.write(reply("409 Conflict", content).replace(b"Connection: close\r\n", b""))

    async with pretending(moving) as url:
        assert reasons(await cosign(head(9), prove, [address(url)])) == ["answer"]
    assert asked == [0, 1, 2]


async def test_nobody_listens():
    async with pretending(b"") as url:
        pass
    assert reasons(await cosign(head(9), prove, [address(url)])) == ["unreachable"]


async def silent(reader, writer):
    await asyncio.sleep(60)


async def test_a_silent_witness_is_waited_for_once(hurried):
    async with pretending(silent) as url, running(LOG, name="other.example/w", key=22) as witness:
        asked = [address(url), address(witness.url, "other.example/w", 22)]
        async with open_witnesses(asked) as witnesses:
            start = time.monotonic()
            first = await witnesses.cosign(head(5), prove)
            waited = time.monotonic() - start
            start = time.monotonic()
            second = await witnesses.cosign(head(9), prove)
            then = time.monotonic() - start
    assert reasons(first) == reasons(second) == ["late"]
    assert signers(first, *asked) == signers(second, *asked) == ["other.example/w"]
    assert 0.25 < waited < 1.5
    assert then < 0.2


async def test_a_witness_that_fails_rests_and_is_asked_again_later_without_being_waited_for(hurried):
    answers = [reply("500 Internal Server Error")]

    async def failing(reader, writer):
        answers.append(answers[-1])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers[-1])

    async with pretending(failing) as url, open_witnesses([address(url)]) as asked:
        assert reasons(await asked.cosign(head(5), prove)) == ["refused"]
        assert reasons(await asked.cosign(head(5), prove)) == ["resting"]
        await asyncio.sleep(0.07)
        assert reasons(await asked.cosign(head(5), prove)) == ["late"]  # asked, and not waited for
        await asyncio.sleep(0.05)
        assert reasons(await asked.cosign(head(5), prove)) == ["resting"]
    assert len(answers) == 3


class SlowHeads(MemoryHeads):
    seconds = 0.4

    def read(self, origin):
        time.sleep(self.seconds)
        return super().read(origin)


async def test_a_witness_that_answers_again_is_waited_for_again(hurried):
    store = SlowHeads()
    async with running(LOG, store=store) as witness, open_witnesses([address(witness.url)]) as asked:
        assert reasons(await asked.cosign(head(5), prove)) == ["late"]
        store.seconds = 0
        await asyncio.sleep(0.3)  # it answered, late
        assert reasons(await asked.cosign(head(9), prove)) == []


async def test_a_hundred_keys_are_too_many():
    with pytest.raises(AskerError):
        await cosign(head(5), prove, [WitnessAddress("http://127.0.0.1:1", (PUBLIC,) * 100)])
