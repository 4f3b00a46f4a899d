"""Tierbook: a customer-tiering workbook."""

__version__ = "0.1.0"
