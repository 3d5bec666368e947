"""The workbook of a month: its figures, and all that is behind them, to be checked by hand."""
