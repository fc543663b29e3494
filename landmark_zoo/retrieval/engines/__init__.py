"""What can run the signature `images` of an exported model."""
