"""Guards run over a corpus of texts: one ruling a text, and where labels are given, how often each guard is right."""
