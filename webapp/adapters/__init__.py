"""The outside world behind small functions: clock, randomness, mail, files, printing, barcodes."""
