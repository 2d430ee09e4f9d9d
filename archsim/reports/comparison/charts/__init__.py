"""Charts as plain data for plotly.js, one to a module; the page gives colours their values, by its theme."""
