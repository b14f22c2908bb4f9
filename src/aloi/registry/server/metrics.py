"""What the registry counts, for whoever watches it, as Prometheus reads it. No name, address or key is counted."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one process, from its start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "aloi_registry_requests", "Requests answered.", ["route", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "aloi_registry_seconds", "Time to the answer.", ["route"], buckets=SECONDS, registry=self._registry
        )
        self.statements = Counter(
            "aloi_registry_statements", "Statements sent in.", ["outcome"], registry=self._registry
        )
        self._entries = Gauge("aloi_registry_entries", "Entries of the published checkpoint.", registry=self._registry)
        self._witnesses = Gauge(
            "aloi_registry_cosignatures",
            "Lines under the published checkpoint beside the log's.",
            registry=self._registry,
        )
        self._tiles = Gauge(
            "aloi_registry_tiles", "Entries of the checkpoint in the folder of tiles.", registry=self._registry
        )
        self._waiting = Gauge("aloi_registry_waiting", "Statements that wait to be logged.", registry=self._registry)

    def text(self, entries: int, cosignatures: int, waiting: int, tiles: int) -> bytes:
        """All of it, with how the log stands now."""
        self._entries.set(entries)
        self._witnesses.set(cosignatures)
        self._waiting.set(waiting)
        self._tiles.set(tiles)
        return generate_latest(self._registry)
