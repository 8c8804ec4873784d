"""Detectors: what is unusual in a series, told row by row."""
