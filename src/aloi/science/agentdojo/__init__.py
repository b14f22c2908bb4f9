"""AgentDojo's suites: its tasks, its tools and its checks, from an installed `agentdojo`, behind our ports."""
