"""The nouns: frozen values that every other room reads and none changes."""
