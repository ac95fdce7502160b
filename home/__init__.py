"""The one directory where local state lives: paths, settings and the shared clock."""
