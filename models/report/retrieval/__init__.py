"""What engines cost users, on the page of a model: `engines.json` in sentences, charts, a table and example users."""
