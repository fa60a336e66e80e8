"""What is wrong with data: pure functions of values, with no I/O, no clock and no unseeded randomness."""
