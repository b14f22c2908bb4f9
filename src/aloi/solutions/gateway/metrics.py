"""What the gateway counts, as Prometheus reads it. No key, name, address or text is counted."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aloi.solutions.gateway.kept import code_or_nothing
from aloi.system.messages import Response

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one process, from its start."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.exchanges = Counter(
            "aloi_gateway_exchanges", "Exchanges ended.", ["endpoint", "outcome"], registry=registry
        )
        self.seconds = Histogram(
            "aloi_gateway_seconds", "Time to the end of the answer.", ["endpoint"], buckets=SECONDS, registry=registry
        )
        self._guards = Histogram(
            "aloi_gateway_guard_seconds", "Time that remedies took.", buckets=SECONDS, registry=registry
        )
        self._prompts = Counter("aloi_gateway_prompts", "Whose prompt was sent.", ["whose"], registry=registry)
        self.under_way = Gauge("aloi_gateway_under_way", "Exchanges under way.", registry=registry)
        self._tokens = Counter("aloi_gateway_tokens", "Tokens as the upstream counts.", ["kind"], registry=registry)
        self._decisions = Counter(
            "aloi_gateway_decisions", "What guards did.", ["guard", "role", "action", "reason"], registry=registry
        )
        self._policy = Gauge(
            "aloi_gateway_policy", "1 for the policy that runs.", ["guard_set", "proven"], registry=registry
        )
        self.reloads = Counter("aloi_gateway_reloads", "Policies read again.", ["outcome"], registry=registry)

    def policy(self, guard_set: str, *, proven: bool) -> None:
        """The policy that runs from now on."""
        self._policy.clear()
        self._policy.labels(guard_set, str(proven).lower()).set(1)

    def prompted(self, whose: str) -> None:
        """Whose prompt was sent: described, added, other, none."""
        self._prompts.labels(whose).inc()

    def answered(self, response: Response) -> None:
        """What guards did in an exchange, what that took, and its tokens."""
        for one in response.decisions:
            self._decisions.labels(one.guard, one.role, one.action, code_or_nothing(one.reason)).inc()
        self._guards.observe(response.guard_seconds)
        self._tokens.labels("prompt").inc(response.prompt_tokens)
        self._tokens.labels("completion").inc(response.completion_tokens)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)
