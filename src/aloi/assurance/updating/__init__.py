"""From attacks that were found to a signed update of the detector, and from there to one that was accepted."""
