"""The models that a gateway serves, as clients of OpenAI and of Anthropic list them: one document for both."""

from aloi.solutions.gateway.asking import require_model
from aloi.solutions.gateway.dialects.dialect import Body
from aloi.solutions.gateway.endpoints import one_model
from aloi.solutions.gateway.policy import Policy

_NEVER = "1970-01-01T00:00:00Z"  # in both protocols a time is told, and nobody knows it


def listed(policy: Policy, path: str) -> Body:
    """What `GET /v1/models` tells, or `GET /v1/models/NAME`. Raises Failed, 404, for another model."""
    name = one_model(path)
    if name:
        require_model(policy, name)
    model: Body = {"id": policy.model, "object": "model", "created": 0, "owned_by": policy.system}
    model |= {"type": "model", "display_name": policy.model, "created_at": _NEVER}
    if name:
        return model
    ends = {"first_id": policy.model, "last_id": policy.model, "has_more": False}
    return {"object": "list", "data": [model]} | ends
