"""The sample country: Ecuador, with real codes, names and yearly totals; everything finer is simulated and labelled so.

Pure: small CSV files in, dataclasses and structured NumPy arrays out; no Django. See docs/sample-country.md.
"""
