"""What the tests stand on: databases, servers, mail, a browser."""
