"""Where work and tensors go: one file per class of machine, found by its `KIND`."""
