"""The engine: the session in a process of its own, and how the window follows it."""
