"""How fast two tables are compared, beside a hand-written join and other tools."""
