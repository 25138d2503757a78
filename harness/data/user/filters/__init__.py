"""A user's filters, one a query: lines of JSON, a column of the queries' file, or queries and filters in one file."""
