"""The report: running notebooks, exporting pages, publishing them whole or not at all."""
