"""The Model Context Protocol: tool calls between a client and a server, ruled by the guards of a system."""
