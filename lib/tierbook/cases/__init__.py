"""What the six case studies compute beyond a monthly report; one room per question."""
