"""What an experiment costs before it is run: traced, counted, and priced for a card or this CPU."""
