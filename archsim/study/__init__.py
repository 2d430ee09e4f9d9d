"""The corridor from files to results, and the only wiring between the rooms."""
