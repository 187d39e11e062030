"""One valid NWB file of one of our recordings."""
