"""The whole story of a finding, gathered from the store, for terminals and as one page."""
