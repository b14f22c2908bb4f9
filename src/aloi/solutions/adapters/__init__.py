"""Guards of others behind our port, so that they can be measured, compared and combined like ours. All are extras."""
