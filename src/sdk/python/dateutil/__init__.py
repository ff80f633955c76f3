"""A small stand-in for the `dateutil` package: `parser.parse` of the forms that logs use."""
