"""The detector beside others: on labelled series, on injected anomalies, and by its speed."""
