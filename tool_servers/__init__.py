"""MCP shells: three servers that read, propose and report; none of them places an order."""
