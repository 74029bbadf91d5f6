"""Long or scheduled work, done in chunks that survive a kill. No Flask: a session factory is handed in."""
