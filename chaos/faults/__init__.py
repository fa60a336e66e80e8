"""The faults, grouped by what they damage; `chaos.catalogue` lists them all."""
