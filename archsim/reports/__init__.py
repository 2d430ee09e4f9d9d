"""How a result is told: one file per format, found by its `KIND`."""
