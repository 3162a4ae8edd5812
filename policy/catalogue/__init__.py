"""The catalogue: from TOML files to types that can be decided, or to what is wrong in them."""
