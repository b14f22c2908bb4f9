"""Functions that a person might name in `target.callable`."""


def echo(messages: list[dict[str, str]]) -> str:
    return messages[-1]["content"]


NOT_A_FUNCTION = 7
