"""One script for each question. `python -m benchmarks.NAME` prints a table; its last line is one JSON document."""
