"""Networks that go backwards: from sweeps to the posterior over a cell's parameters."""
