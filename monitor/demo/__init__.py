"""A first look at daywatch: real flights in an embedded warehouse, replayed day by day; `python -m monitor.demo`."""
