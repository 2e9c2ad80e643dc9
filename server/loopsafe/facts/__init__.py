"""One module's source -> plain facts about it. Pure: knows no other file, never raises."""
