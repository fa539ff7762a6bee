"""OpenAI-compatible serving of GGUF models."""
