"""Free parameters of a machine's energy, fitted on measurements of power."""
