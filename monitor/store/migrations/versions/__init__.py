"""One file a step. A step that has been released never changes again."""
