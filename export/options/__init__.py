"""Options that several scripts of this folder share."""
