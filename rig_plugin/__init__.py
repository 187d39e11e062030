"""The app that runs beside the microscope: command line, session, window."""
