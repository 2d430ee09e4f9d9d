"""What a reader sees of a fit."""
