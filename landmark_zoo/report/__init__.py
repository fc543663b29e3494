"""One page that shows what was trained and how well it works."""
