"""What the executor tells about itself while it works: figures and traces."""
