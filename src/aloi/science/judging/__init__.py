"""Rate answers where no oracle can: judges that err, the better ones they hand on to, and people."""
