"""The reports: what was measured, as one page that a browser shows and a printer prints."""
