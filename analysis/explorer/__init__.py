"""The explorer: every jurisdiction in one file, as a map, a table and a page each, without a network."""
