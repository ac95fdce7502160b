"""Tools that keep figures honest: splits, scores, intervals, luck, and the hunt for look-ahead.

Stage: honesty (pure). They judge what other stages computed and never compute advice.
"""
