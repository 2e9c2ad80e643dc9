"""What an expression may be. Lazy: reads a module's facts when a name needs them."""
