"""Live sources: one way to fetch, one way to accept a vintage, one module a source. No stage imports it."""
