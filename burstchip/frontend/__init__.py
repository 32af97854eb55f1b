"""YAML text to a checked network: positions, schema, units, elaboration."""
