"""Orders of training pictures: integer arrays [steps, batch size] of record numbers, pure functions of (seed, epoch)."""
