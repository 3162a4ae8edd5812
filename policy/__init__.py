"""The decisions of Tocsin as pure functions: no I/O, no clock, no randomness."""
