"""The rights of each process's role, as policy documents. Nothing here runs in a process of the product."""
