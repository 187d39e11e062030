"""Other simulators, which solve the same equations beside ours."""
