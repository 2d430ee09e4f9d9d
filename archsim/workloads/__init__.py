"""What a model asks for: one file per family, found by its `KIND`; a family reads no files and knows no hardware."""
