"""What experiments.prepare does before records are written: fetch, unpack, lay out benchmarks."""
