"""Why a light is red: the gap in parts, and the events behind them."""
