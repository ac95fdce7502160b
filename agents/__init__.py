"""The language-model shell: plans tool calls, writes prose, and checks every number in it."""
