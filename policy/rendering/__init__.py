"""What a person reads: templates, bounded and sandboxed, for each channel."""
