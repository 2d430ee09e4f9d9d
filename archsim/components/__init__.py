"""What hardware is: one file per kind of component, found by its `KIND`."""
