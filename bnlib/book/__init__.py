"""From chapters to a website: executing notebooks, keeping them clean, building the pages."""
