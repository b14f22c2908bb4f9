import contextlib

import pytest
from benchmarks.registry.logs import Log, fixed_key
from hypothesis import given
from hypothesis import strategies as st

from aloi.errors import EvidenceError
from aloi.evidence import cosignatures, notes
from aloi.registry.heads import MemoryHeads
from aloi.registry.witness import Status, Witness
from aloi.registry.witnesswire import (
    Request,
    cosigned,
    read_request,
    read_size,
    refusal,
    reply_to,
    write_request,
)

ORIGIN = "log.example/one"
LOG = Log(ORIGIN, fixed_key(11), [b"entry %d" % number for number in range(20)])
# The request and the answer that tlog-witness shows as examples.
EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501


@pytest.fixture
def witness():
    return Witness("witness.example/1", [fixed_key(21), fixed_key(22)], {ORIGIN: [LOG.public]}, MemoryHeads())


def refused(reason, function, *arguments):
    with pytest.raises(EvidenceError) as caught:
        function(*arguments)
    assert caught.value.reason == reason
    assert caught.value.remedy
    return caught.value


def test_the_example_of_the_specification_is_read():
    request = read_request(EXAMPLE.encode())
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    assert notes.read(request.checkpoint).text.startswith("example.com/behind-the-sofa\n20852163\n")
    assert write_request(request).decode() == EXAMPLE


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.text())
def test_requests_come_back(size, proof, checkpoint):
    request = Request(size, tuple(proof), checkpoint.encode(errors="ignore"))
    assert read_request(write_request(request)) == request


@given(st.binary(max_size=300))
def test_whatever_arrives_is_read_or_refused(body):
    for data in (body, b"old 5\n" + body, b"old 5\n\n" + body):
        with contextlib.suppress(EvidenceError):
            assert write_request(read_request(data)) == data


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "request-form"),
        (b"old 5\n", "request-form"),
        (b"new 5\n\nx", "request-form"),
        (b"old\n\nx", "request-form"),
        (b"old 05\n\nx", "old-size"),
        (b"old  5\n\nx", "old-size"),
        (b"old -1\n\nx", "old-size"),
        (b"old 9223372036854775808\n\nx", "old-size"),
        (b"old 5\r\n\nx", "old-size"),
        (b"old 5\nYQ==\n\nx", "proof-path"),
        (b"old 5\nYQ=\n\nx", "bad-base64"),
        (b"old 5\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\nx", "proof-path"),
        (b"old 5\n\n\xff", "not-utf8"),
        (b"old 5\n\n" + b"x" * (1 << 20), "too-large"),
    ],
)
def test_other_forms_are_refused(body, reason):
    error = refused(reason, read_request, body)
    assert refusal(error).status == Status.BAD_REQUEST
    assert refusal(error).body.startswith(reason.encode())


def test_a_request_that_would_be_read_otherwise_is_not_written():
    refused("proof-path", write_request, Request(5, (b"x",), b"note"))
    refused("old-size", write_request, Request(-5, (), b"note"))


def test_a_client_gets_its_lines(witness):
    body = write_request(Request(0, (), LOG.signed(9)))
    reply = reply_to(witness.add_checkpoint(*read_request(body), 1000))
    assert reply.status == 200
    assert reply.body.startswith("— witness.example/1 ".encode())
    assert reply.body.count(b"\n") == 2
    note = cosigned(LOG.signed(9), reply.body, witness.keys)
    assert [each.time for each in cosignatures.verify(note, witness.keys)] == [1000, 1000]
    one = cosigned(LOG.signed(9), reply.body, witness.keys[:1])
    assert len(one.signatures) == 2
    again = cosigned(notes.write(note), reply.body, witness.keys)
    assert again == note


def test_lines_that_do_not_hold_are_refused(witness):
    reply = reply_to(witness.add_checkpoint(0, [], LOG.signed(9), 1000))
    refused("bad-signature", cosigned, LOG.signed(10), reply.body, witness.keys)
    other = cosignatures.witness_key("other.example/w", fixed_key(23))
    refused("no-known-signature", cosigned, LOG.signed(9), reply.body, [other])
    refused("note-form", cosigned, LOG.signed(9), b"", witness.keys)


def test_a_conflict_tells_the_size(witness):
    witness.add_checkpoint(0, [], LOG.signed(9), 1000)
    for answer in (
        witness.add_checkpoint(0, [], LOG.signed(12), 1000),
        witness.add_checkpoint(0, [], LOG.signed(3), 1000),
        witness.add_checkpoint(9, [], LOG.fork(2).signed(9), 1000),
    ):
        reply = reply_to(answer)
        assert (reply.status, reply.content_type, reply.body) == (409, "text/x.tlog.size", b"9\n")
        assert read_size(reply.body) == 9
    for body in (b"", b"9", b"9\n\n", b"09\n", b"x\n"):
        refused("old-size", read_size, body)


def test_a_refusal_says_its_reason(witness):
    witness.add_checkpoint(0, [], LOG.signed(9), 1000)
    reply = reply_to(witness.add_checkpoint(9, [], LOG.signed(12), 1000))
    assert reply.status == 422
    assert reply.body.startswith(b"not-consistent: the proof does not show")
