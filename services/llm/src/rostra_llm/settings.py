"""What can be configured, each by an environment variable `ROSTRA_<NAME>`."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, at the entry point."""

    # An empty variable counts as unset: compose files pass on what .env leaves blank.
    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, frozen=True)

    llm_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    llm_port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    llm_api_key: SecretStr | None = Field(default=None, description="Bearer key that requests must carry.")
    llm_api_key_file: Path | None = Field(default=None, description="File that holds the bearer key.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error."
    )

    models_dir: Path = Field(default=Path("models"), description="Folder with your GGUF file.")
    model_file: str | None = Field(default=None, description="Which file of the models folder, when it holds several.")
    model_url: str | None = Field(
        default=None, description="Address to fetch the model from, when the models folder holds none."
    )
    model_sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-fA-F]{64}$",
        description="SHA-256 of the fetched model; required with its address.",
    )
    model_cache_dir: Path = Field(
        default=Path("~/.cache/rostra/models"),
        description="Folder that keeps fetched models; must be writable.",
    )
    model_name: str = Field(default="default", min_length=1, description="Name that requests call the model by.")
    chat_template: str | None = Field(
        default=None,
        description="Jinja file in the models folder that replaces the model's own chat template.",
    )

    context: int = Field(
        default=4096, ge=256, description="Tokens of context: prompt and answer together; a multiple of 256."
    )
    threads: int | None = Field(default=None, ge=1, description="Processor threads; unset: one for each core.")
    gpu_layers: int = Field(default=0, ge=-1, description="Layers to put on the GPU; -1: all.")
    cache_mib: int = Field(
        default=512,
        ge=0,
        description="MiB of memory for the prefixes of earlier prompts; 0: only the last prompt's.",
    )

    @model_validator(mode="after")
    def _an_address_comes_with_its_hash(self) -> Self:
        if self.model_url and not self.model_sha256:
            raise ValueError("ROSTRA_MODEL_URL needs ROSTRA_MODEL_SHA256, the SHA-256 of the file it names")
        return self

    @model_validator(mode="after")
    def _one_source_of_the_key(self) -> Self:
        if self.llm_api_key and self.llm_api_key_file:
            raise ValueError("set ROSTRA_LLM_API_KEY or ROSTRA_LLM_API_KEY_FILE, not both")
        return self

    def api_key(self) -> str | None:
        """The bearer key, wherever it stands; None: everyone is let in."""
        if self.llm_api_key_file:
            return self.llm_api_key_file.read_text(encoding="utf-8").strip()
        return self.llm_api_key.get_secret_value() if self.llm_api_key else None
