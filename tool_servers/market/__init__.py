"""The market server: reads and analyses, never writes outside its archive, holds no secret."""
