"""The preference centre: a page on which a person says what they want to hear, where and when."""
