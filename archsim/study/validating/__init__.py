"""Predictions against measurements: suites of cases in files, each case answered by the corridor."""
