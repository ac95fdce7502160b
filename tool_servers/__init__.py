"""tool_servers"""
