"""A simulated workplace for agents: mail, files, calendar, bank, web, tickets, a toy shell. All of it is in memory."""
