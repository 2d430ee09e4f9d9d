"""Kinds of case: one module each, which says how a row of measurements becomes a prediction."""
