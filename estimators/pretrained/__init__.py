"""The networks that ship, each with the spec that made it."""
