"""Several runs side by side: what differs between them, what each engine did in each, as a page and as Markdown."""
