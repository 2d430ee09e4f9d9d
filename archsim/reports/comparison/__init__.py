"""Several machines and workloads side by side: the values, the words, the tables, and one page with charts."""
