"""The scorers that come with Aloi. An oracle is exact; a rule can err, and says so."""
