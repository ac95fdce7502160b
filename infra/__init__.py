"""What production is made of. Nothing here runs in a process of the product."""
