"""How results are shown: words in two languages, tables, figures."""
