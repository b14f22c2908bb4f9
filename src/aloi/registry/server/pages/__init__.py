"""A registry's pages for people: plain HTML, without script; whatever others wrote is escaped."""
