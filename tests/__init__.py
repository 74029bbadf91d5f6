"""The tests, one folder a layer; `tests.check` runs them all."""
