"""Rules beside one naive hand-written statement that computes the same, and beside other tools."""
