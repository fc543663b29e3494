"""What photographs are like: one measure per file."""
