"""The gate's report in words: for a terminal, as Markdown for a CI summary, as JUnit XML. Decides nothing."""
