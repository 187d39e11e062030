"""What the window shows: each panel takes frozen data and draws it."""
