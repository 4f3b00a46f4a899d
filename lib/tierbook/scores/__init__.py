"""Scores of customers: small fitted rules, and pure functions that apply them to any chunk of customers."""
