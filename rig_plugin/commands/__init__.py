"""What can be asked for at the command line: one file a command, imported when it is asked for."""
