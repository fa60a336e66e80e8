"""Tables that are rewritten in place: each look keeps a sample.

So today as seen today meets yesterday as seen yesterday, which the warehouse no longer has.
"""
