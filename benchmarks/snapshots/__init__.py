"""Tables rewritten in place: real daily states replayed look by look, with faults in copies of some days."""
