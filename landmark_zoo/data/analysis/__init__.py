"""Analysis of image collections: measures, near-duplicates, label noise, class balance."""
