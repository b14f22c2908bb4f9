"""The protocols that clients speak, each read and written as guards need it."""
