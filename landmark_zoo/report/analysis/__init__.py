"""The page on what a collection of photographs is like."""
