"""Workloads beside each other on several machines."""
