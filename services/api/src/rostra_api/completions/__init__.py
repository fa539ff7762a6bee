"""A debate format is a model: OpenAI's chat completions, for programs that speak nothing else."""
