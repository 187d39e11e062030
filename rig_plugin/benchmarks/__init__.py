"""What is measured: one file a benchmark, each with `measure(peers)`, which gives its figures as mappings."""
