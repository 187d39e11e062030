"""What one of our recordings keeps, read in pieces and without trust."""
