"""What libraries do to the event loop, as data: `catalogue.load()` answers, README.md explains."""
