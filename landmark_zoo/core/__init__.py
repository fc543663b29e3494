"""Errors, files, locks, progress: what every floor above stands on."""
