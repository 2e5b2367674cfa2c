"""What is computed from runs: statistics, and one module a subject."""
