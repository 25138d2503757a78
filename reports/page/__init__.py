"""The HTML report and the summary in the terminal: what they show, in words and tables."""
