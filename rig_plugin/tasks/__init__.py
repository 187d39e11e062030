"""The published tasks of simulation-based inference: priors, simulators, and the posteriors that are known of them."""
