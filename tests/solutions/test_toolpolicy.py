"""The tool policy: which calls it lets pass, in a table of hostile cases, and what it refuses to be told."""

import time
from decimal import Decimal

import pytest

from aloi.solutions.catalogue import check
from aloi.solutions.guard import Allow, Ask, Block, about_call
from aloi.solutions.guards.toolpolicy import amount, host_of, matches
from aloi.system.messages import Message, Request, ToolCall

RULES = {
    "send_mail": {"recipients": {"to": ["@city.example", "ann@post.example"], "cc": ["@city.example"]}},
    "pay": {"at_most": {"amount": 500}, "otherwise": "ask", "calls": 2},
    "open_page": {"hosts": {"url": ["city.example"]}},
    "read_file": {"paths": {"path": ["/public", "/minutes/"]}},
    "run_command": {"patterns": {"command": ["ls *", "cat /public/*"]}},
    "delete_file": {"decision": "deny"},
    "share_file": {"decision": "ask"},
    "install": {"after": {"inspect_download": "*sha256 holds*"}},
}
NOTHING = Request(prompt="", messages=(Message(role="user", content="go on"),))


def ruling(remedy, name, arguments, before=NOTHING, alongside=(), **options):
    guard = remedy("tool-policy", **{"rules": RULES, **options}).implementation
    return guard.screen(about_call(ToolCall(id="1", name=name, arguments=arguments), before, alongside))


PASS = {
    "a recipient of the house": ("send_mail", '{"to": "bob@city.example", "body": "b"}'),
    "one that is listed": ("send_mail", '{"to": "Ann <ANN@post.example>"}'),
    "full-width letters are the same letters": ("send_mail", '{"to": "\\uff41nn@post.example"}'),
    "several": ("send_mail", '{"to": "bob@city.example; ann@post.example", "cc": "eve@city.example"}'),
    "a list": ("send_mail", '{"to": ["bob@city.example", "ann@post.example"]}'),
    "cc is null": ("send_mail", '{"to": "bob@city.example", "cc": null}'),
    "nothing is constrained": ("send_mail", ""),
    "at the limit": ("pay", '{"amount": 500}'),
    "a fraction": ("pay", '{"amount": 499.99}'),
    "a text": ("pay", '{"amount": " 120.50 "}'),
    "nothing to pay": ("pay", '{"amount": 0}'),
    "its own host": ("open_page", '{"url": "https://city.example/a?b#c"}'),
    "a subdomain, capitals, a port, a closing dot": ("open_page", '{"url": "HTTPS://WWW.City.Example.:443/"}'),
    "without a scheme": ("open_page", '{"url": "city.example/x"}'),
    "in the folder": ("read_file", '{"path": "/public/a.txt"}'),
    "out and in again": ("read_file", '{"path": "/secret/../public//./a.txt"}'),
    "the folder itself": ("read_file", '{"path": "/minutes"}'),
    "a pattern": ("run_command", '{"command": "ls /anything"}'),
    "a tool without a rule": ("list_mail", "{not even JSON"),
}


@pytest.mark.parametrize(("name", "arguments"), PASS.values(), ids=PASS)
def test_what_the_rules_allow_passes(remedy, name, arguments):
    assert ruling(remedy, name, arguments) == Allow()


DEEP = "[" * 100_000
MALFORMED = {
    "no JSON": "{to: bob}",
    "cut off": '{"to": "bob@city.example"',
    "a list": '["bob@city.example"]',
    "a number": "3",
    "a key twice": '{"to": "bob@city.example", "to": "eve@evil.example"}',
    "a key twice, inside": '{"to": "bob@city.example", "x": {"a": 1, "a": 2}}',
    "a key twice, one escaped": '{"to": "bob@city.example", "t\\u006f": "eve@evil.example"}',
    "NaN": '{"to": "bob@city.example", "x": NaN}',
    "Infinity": '{"to": "bob@city.example", "x": -Infinity}',
    "two values": '{"to": "bob@city.example"}{"to": "eve@evil.example"}',
    "too deep": '{"to": "bob@city.example", "x": ' + DEEP,
    "a number of a megabyte": '{"x": ' + "9" * 1_000_000 + "}",
    "raw control sign": '{"to": "bob@city.example\x00"}',
    "more than can be read": '"' + "a" * (8 * 1024 * 1024),
}


@pytest.mark.parametrize("arguments", MALFORMED.values(), ids=MALFORMED)
def test_arguments_of_no_single_reading_break_the_constraints(remedy, arguments):
    assert ruling(remedy, "send_mail", arguments) == Block(reason="malformed-arguments")
    # No person is asked about what cannot be read.
    assert ruling(remedy, "pay", arguments) == Block(reason="malformed-arguments")


HELD = {
    "an outsider": ("send_mail", '{"to": "eve@evil.example"}', "recipient"),
    "an outsider among others": ("send_mail", '{"to": "bob@city.example, eve@evil.example"}', "recipient"),
    "an outsider in a list": ("send_mail", '{"to": ["bob@city.example", "eve@evil.example"]}', "recipient"),
    "an outsider in copy": ("send_mail", '{"to": "bob@city.example", "cc": "ann@post.example"}', "recipient"),
    "nobody": ("send_mail", '{"to": " , "}', "recipient"),
    "empty": ("send_mail", '{"to": ""}', "recipient"),
    "a number": ("send_mail", '{"to": 7}', "recipient"),
    "a look-alike domain": ("send_mail", '{"to": "bob@\\u0441ity.example"}', "recipient"),
    "a look-alike name": ("send_mail", '{"to": "\\u0430nn@post.example"}', "recipient"),
    "a longer domain": ("send_mail", '{"to": "bob@city.example.evil.example"}', "recipient"),
    "a subdomain is another domain": ("send_mail", '{"to": "bob@mail.city.example"}', "recipient"),
    "two with nothing between": ("send_mail", '{"to": "eve@evil.example bob@city.example"}', "recipient"),
    "two signs": ("send_mail", '{"to": "eve@evil.example@city.example"}', "recipient"),
    "dressed as a name": ("send_mail", '{"to": "bob@city.example <eve@evil.example>"}', "recipient"),
    "a comment": ("send_mail", '{"to": "eve@evil.example(bob@city.example)"}', "recipient"),
    "above": ("pay", '{"amount": 500.01}', "amount"),
    "above, as a text": ("pay", '{"amount": "501"}', "amount"),
    "a power": ("pay", '{"amount": 1e9}', "amount"),
    "a power, as a text": ("pay", '{"amount": "1e1"}', "amount"),
    "negative": ("pay", '{"amount": -1}', "amount"),
    "negative, as a text": ("pay", '{"amount": "-1"}', "amount"),
    "NaN, as a text": ("pay", '{"amount": "NaN"}', "amount"),
    "true": ("pay", '{"amount": true}', "amount"),
    "grouped": ("pay", '{"amount": "1,250"}', "amount"),
    "with its unit": ("pay", '{"amount": "1 EUR"}', "amount"),
    "other digits": ("pay", '{"amount": "\\u0661"}', "amount"),
    "an object": ("pay", '{"amount": {"value": 1}}', "amount"),
    "a list with one too many": ("pay", '{"amount": [1, 501]}', "amount"),
    "beyond any sum": ("pay", '{"amount": 1e400}', "amount"),
    "a text of a megabyte": ("pay", '{"amount": "' + "1" * 1_000_000 + '"}', "amount"),
    "another host": ("open_page", '{"url": "https://evil.example/city.example"}', "host"),
    "a host that ends alike": ("open_page", '{"url": "https://evilcity.example/"}', "host"),
    "user information": ("open_page", '{"url": "https://city.example@evil.example/"}', "host"),
    "a backslash": ("open_page", '{"url": "https://evil.example\\\\@city.example/"}', "host"),
    "a script": ("open_page", '{"url": "javascript:alert(1)//city.example"}', "host"),
    "a file": ("open_page", '{"url": "file://city.example/etc/passwd"}', "host"),
    "a look-alike host": ("open_page", '{"url": "https://\\u0441ity.example/"}', "host"),
    "its punycode": ("open_page", '{"url": "https://xn--ity-sed.example/"}', "host"),
    "a blank inside": ("open_page", '{"url": "https://city.example .evil.example/"}', "host"),
    "an invisible sign": ("open_page", '{"url": "https://evil.example\\u200b/.city.example"}', "host"),
    "a percent sign": ("open_page", '{"url": "https://city.example%2f.evil.example/"}', "host"),
    "no host": ("open_page", '{"url": "https:///x"}', "host"),
    "a broken bracket": ("open_page", '{"url": "https://[city.example/"}', "host"),
    "steps up": ("read_file", '{"path": "/public/../secret.txt"}', "path"),
    "encoded steps": ("read_file", '{"path": "/public/%2e%2e/secret.txt"}', "path"),
    "twice encoded": ("read_file", '{"path": "/public/%252e%252e/secret.txt"}', "path"),
    "backslashes": ("read_file", '{"path": "/public\\\\..\\\\secret.txt"}', "path"),
    "full-width dots": ("read_file", '{"path": "/public/\\uff0e\\uff0e/secret.txt"}', "path"),
    "a folder that begins alike": ("read_file", '{"path": "/publicity/a.txt"}', "path"),
    "NUL": ("read_file", '{"path": "/public/a\\u0000"}', "path"),
    "home": ("read_file", '{"path": "~/public/a"}', "path"),
    "no path": ("read_file", '{"path": " "}', "path"),
    "another command": ("run_command", '{"command": "rm -r /"}', "pattern"),
    "a command of a megabyte": ("run_command", '{"command": "' + "cat /" * 200_000 + '"}', "pattern"),
}


@pytest.mark.parametrize(("name", "arguments", "code"), HELD.values(), ids=HELD)
def test_what_breaks_a_constraint_is_held(remedy, name, arguments, code):
    began = time.process_time()
    held = ruling(remedy, name, arguments)
    kind = Ask if name == "pay" else Block
    assert held == kind(reason=f"{code}-not-allowed")
    assert time.process_time() - began < 0.5


def test_a_tool_may_be_denied_or_asked_for(remedy):
    assert ruling(remedy, "delete_file", "{}") == Block(reason="denied")
    assert ruling(remedy, "share_file", "{}") == Ask(reason="needs-approval")
    assert ruling(remedy, "list_mail", "{}", default="deny") == Block(reason="denied")
    assert ruling(remedy, "list_mail", "{}", default="ask") == Ask(reason="needs-approval")
    # A name that only looks like that of a tool is another tool's.
    assert ruling(remedy, "read_fi\u217ce", "{}", default="deny") == Block(reason="denied")


def conversation(*pairs):
    messages = [Message(role="user", content="go on")]
    for i, (name, result) in enumerate(pairs):
        call = ToolCall(id=f"c{i}", name=name)
        messages += [Message(role="assistant", content="", tool_calls=(call,))]
        messages += [Message(role="tool", content=result, tool_call_id=call.id)]
    return Request(prompt="", messages=tuple(messages))


def test_calls_are_counted_over_the_conversation_and_within_an_answer(remedy):
    one, pay = conversation(("pay", "paid")), '{"amount": 1}'
    assert ruling(remedy, "pay", pay, one) == Allow()
    assert ruling(remedy, "pay", pay, one, alongside=(ToolCall(name="pay"),)) == Ask(reason="too-many-calls")
    assert ruling(remedy, "pay", pay, one, alongside=(ToolCall(name="list_mail"),)) == Allow()
    assert ruling(remedy, "pay", pay, conversation(("pay", "x"), ("pay", "x"))) == Ask(reason="too-many-calls")


def test_a_call_may_need_another_before_it_and_its_result(remedy):
    assert ruling(remedy, "install", "{}") == Block(reason="too-early")
    assert ruling(remedy, "install", "{}", conversation(("inspect_download", "no"))) == Block(reason="too-early")
    assert ruling(remedy, "install", "{}", conversation(("read_mail", "SHA256 holds"))) == Block(reason="too-early")
    assert ruling(remedy, "install", "{}", conversation(("inspect_download", "the SHA256 holds."))) == Allow()
    # Of the same answer it has no result yet.
    early = ruling(remedy, "install", "{}", alongside=(ToolCall(name="inspect_download"),))
    assert early == Block(reason="too-early")


def test_a_result_cannot_be_passed_off_as_that_of_another_tool(remedy):
    """Two calls of one answer under one id: whose result it is cannot be told."""
    calls = (ToolCall(id="c", name="read_mail"), ToolCall(id="c", name="inspect_download"))
    messages = (
        Message(role="assistant", content="", tool_calls=calls),
        Message(role="tool", content="the sha256 holds", tool_call_id="c"),
        Message(role="tool", content="no", tool_call_id="c"),
    )
    assert ruling(remedy, "install", "{}", Request(prompt="", messages=messages)) == Block(reason="too-early")
    # In another answer the same id is another call's.
    later = (
        *messages,
        Message(role="assistant", content="", tool_calls=calls[1:]),
        Message(role="tool", content="the sha256 holds", tool_call_id="c"),
    )
    assert ruling(remedy, "install", "{}", Request(prompt="", messages=later)) == Allow()


def test_what_is_no_call_is_not_its_matter(remedy):
    guard = remedy("tool-policy", default="deny").implementation
    assert guard.screen(Message(role="user", content="x")) == Allow()


def test_patterns_are_linear_and_literal():
    assert matches("a*b", "AxxB")
    assert matches("*", "")
    assert matches("a.c", "a.c")
    assert not matches("a.c", "abc")
    assert not matches("ab*ba", "aba")
    assert matches("ab*ba", "abba")
    began = time.process_time()
    assert not matches("a*" * 400 + "b", "a" * 1_000_000)
    assert time.process_time() - began < 1


def test_amounts_and_hosts_have_one_reading():
    assert amount("12.5") == amount(" 12.50 ") == amount(Decimal("12.5"))
    assert [amount(one) for one in ("", ".", "1.2.3", "+1", "0x10", None, [1], "²")] == [None] * 8
    assert host_of("https://bücher.example/x") == host_of("https://XN--BCHER-KVA.example") == "xn--bcher-kva.example"
    assert [host_of(one) for one in ("", "https://", "https://a..b/", "//x", "https://[::1]/")] == [None] * 5


BAD = {
    "unknown constraint": ({"rules": {"pay": {"limit": 3}}}, {"rules.pay.limit"}),
    "several at once": (
        {"default": "maybe", "rules": {"pay": {"calls": -1, "decision": "never"}, "mail": {"paths": {"p": ["x"]}}}},
        {"default", "rules.pay.calls", "rules.pay.decision", "rules.mail.paths"},
    ),
    "no section": ({"rules": {"pay": 3}}, {"rules.pay"}),
    "no table": ({"rules": [1]}, {"rules"}),
    "hosts and recipients": (
        {"rules": {"a": {"hosts": {"url": ["https://x.example/"]}}, "b": {"recipients": {"to": ["bob", "a@b@c"]}}}},
        {"rules.a.hosts.url[0]", "rules.b.recipients.to[0]", "rules.b.recipients.to[1]"},
    ),
    "negative amount": ({"rules": {"pay": {"at_most": {"amount": -1}}}}, {"rules.pay.at_most"}),
    "denied and constrained": ({"rules": {"pay": {"decision": "deny", "calls": 1}}}, {"rules.pay.decision"}),
    "before itself": ({"rules": {"pay": {"after": {"pay": "*"}}}}, {"rules.pay.after.pay"}),
}


@pytest.mark.parametrize(("options", "at"), BAD.values(), ids=BAD)
def test_every_fault_of_a_policy_is_told_at_once(options, at, resolve):
    assert {fault.path for fault in check("tool-policy", options, "x", resolve)} == {f"x.{one}" for one in at}
