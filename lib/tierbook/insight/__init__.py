"""What the scores say together: profile, movement, cohorts, campaigns, the scorecard."""
