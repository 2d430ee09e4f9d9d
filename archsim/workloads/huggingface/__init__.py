"""Dimensions from a Hugging Face `config.json`: a reader for each family of workloads."""
