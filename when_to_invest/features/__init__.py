"""Numbers computed from closed bars; every value at index t uses bars up to t only."""
