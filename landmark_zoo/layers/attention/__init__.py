"""The attention blocks, one file per method, and their place in the taxonomy of Song, Han and Avrithis (WACV 2022)."""
