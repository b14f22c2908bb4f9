"""Doubles to test with: agents whose weaknesses are known, asked through the same ports as any system.

In `system.yaml`: `target: {kind: callable, callable: "aloi.testing:weak_agent"}`, or `hardened_agent` for its twin.
"""

from aloi.testing.agents import ScriptedAgent, hardened_agent, weak_agent

__all__ = ["ScriptedAgent", "hardened_agent", "weak_agent"]
