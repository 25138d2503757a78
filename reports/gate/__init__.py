"""May this run replace that baseline? The comparison, and its text, Markdown and JUnit forms."""
