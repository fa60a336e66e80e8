"""Faults on purpose: known damage, in copies, to prove that the checks see it."""
