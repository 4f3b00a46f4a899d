"""The drawings of the notebooks, one module per notebook; each draws on axes and returns its alternative text."""
