"""The datasets that come with the project: fetched, generated or both."""
