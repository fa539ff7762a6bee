"""What is asked of an endpoint, by theme: small functions, each a question and what its answer means."""
