"""The second opinion: jedi and astroid, in their own process, on what `resolve` leaves open."""
