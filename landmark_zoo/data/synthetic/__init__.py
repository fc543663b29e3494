"""A landmark collection that is drawn instead of downloaded."""
