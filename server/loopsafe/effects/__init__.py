"""What runs where, and the shortest way from a function to a blocking call."""
