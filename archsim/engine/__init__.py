"""Time: the engine simulates a task graph on SimPy and answers with integer counts and picoseconds."""
