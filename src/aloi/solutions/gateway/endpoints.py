"""The endpoints that a gateway answers at, each in its protocol."""

from aloi.solutions.gateway.dialects.chat import Chat
from aloi.solutions.gateway.dialects.completions import Completions
from aloi.solutions.gateway.dialects.dialect import Dialect
from aloi.solutions.gateway.dialects.messages import Messages
from aloi.solutions.gateway.dialects.responses import Responses
from aloi.solutions.gateway.policy import Policy


def endpoints(policy: Policy) -> tuple[Dialect, ...]:
    """Every protocol, as the policy has its unreadable parts treated."""
    unread = policy.serving.unread
    return Chat(unread=unread), Responses(unread=unread), Messages(unread=unread), Completions(unread=unread)
