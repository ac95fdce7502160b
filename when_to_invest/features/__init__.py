"""Numbers computed from closed bars; every value at index t uses bars up to t only.

Two ways, because two kinds of reader need them. `windows`, `variance`, `risk_frame`, `risk_panel`
and `readings` compute a whole history's columns at once: models learn from every past day, so the
decision, the backtests and the evaluation read these and nothing else. `stream` moves one
instrument's state on by one bar in microseconds, for whoever follows a feed bar by bar; no decision
reads it. What both compute (returns, momenta, averages, extremes, EWMA volatility) is proven equal
in `tests/when_to_invest/features/test_two_ways_agree.py`: to the bit where nothing is summed, to
rounding where it is.
"""
