"""The front door: debates over HTTP, and live."""
