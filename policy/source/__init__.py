"""What a record of a company's own topic says, in the terms of Tocsin's public topics."""
