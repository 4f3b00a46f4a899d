"""Intake: looks at someone's files, says what they are, asks what cannot be known, drafts the params file."""
