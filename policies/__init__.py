"""The hard gate: limits, facts, rules, judgement, seal and its verification.

Stage: gate, between a proposal and the queue, and again in the executor. Pure: no I/O, no
clock, no randomness, no keys. It only shrinks or stops what was proposed, and must never
offer a way around a rule.
"""
