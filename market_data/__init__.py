"""market_data"""
