"""The judge: an independent model of the documented rules, and what was seen of a run, compared."""
