"""Counties in states, places in counties, and states: what belongs to which layer."""
