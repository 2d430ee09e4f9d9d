"""Reading what people write: YAML with positions, diagnostics, units, validation, registries and shipped files."""
