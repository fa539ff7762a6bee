"""What can be configured, each by an environment variable `ROSTRA_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Model(BaseModel):
    """A model beside the one that the other settings name; what is left out is as theirs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str | None = None
    url: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    chat_template: str | None = None
    context: int | None = Field(default=None, ge=256)
    parallel: int | None = Field(default=None, ge=1, le=256)
    threads: int | None = Field(default=None, ge=1)
    gpu_layers: int | None = Field(default=None, ge=-1)
    cache_mib: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.file) == bool(self.url):
            raise ValueError("a model needs a file of the models folder, or a url")
        if self.url and not self.sha256:
            raise ValueError("a url needs the sha256 of the file it names")
        return self


class Settings(BaseSettings):
    """Read once, at the entry point."""

    # An empty variable counts as unset: compose files pass on what .env leaves blank.
    model_config = SettingsConfigDict(env_prefix="ROSTRA_", env_ignore_empty=True, frozen=True)

    llm_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    llm_port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    llm_api_key: SecretStr | None = Field(default=None, description="Bearer key that requests must carry.")
    llm_api_key_file: Path | None = Field(
        default=None, description="File that holds it; one that is set itself goes before."
    )
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
        default=4096, ge=256, description="Tokens of context for each request: prompt and answer together."
    )
    parallel: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Requests that are generated at once; unset: as many as a GiB of KV cache holds, 2 to 8.",
    )
    threads: int | None = Field(default=None, ge=1, description="Processor threads; unset: one for each core.")
    gpu_layers: int = Field(default=0, ge=-1, description="Layers to put on the GPU; -1: all.")
    cache_mib: int = Field(
        default=512,
        ge=0,
        description="MiB of memory for prefixes of earlier prompts, beside the KV cache; 0: none.",
    )
    cache_run: int = Field(
        default=0,
        ge=0,
        description="Shortest run of tokens that is reused behind a common prefix, such as a turn, which is faster and "
        "moves the model's probabilities a little more with each turn; 0: none.",
    )
    chunk: int | None = Field(
        default=None,
        ge=16,
        le=8192,
        description="Tokens of prompts that are read between two tokens of the answers; unset: 128, on a GPU 512.",
    )
    exact: bool = Field(
        default=False,
        description="The same request gives the same text whatever else runs: one request at a time, slower.",
    )
    llm_models: dict[str, Model] = Field(
        default_factory=dict[str, Model], description="Further models to serve, by name, as JSON."
    )

    llm_queue: int = Field(default=64, ge=0, description="Requests that may wait to be generated; more get 503.")
    llm_first_token_seconds: float = Field(
        default=300, gt=0, description="Longest wait for an answer's first token, queueing included."
    )
    llm_answer_seconds: float = Field(default=1800, gt=0, description="Longest answer, queueing included.")
    llm_stall_seconds: float = Field(
        default=300, gt=0, description="An engine that computes nothing for so long, though it should, is started anew."
    )
    llm_drain_seconds: float = Field(
        default=15, ge=0, description="Time that running answers have to end when the server is stopped."
    )

    @model_validator(mode="after")
    def _an_address_comes_with_its_hash(self) -> Self:
        if self.model_url and not self.model_sha256:
            raise ValueError("ROSTRA_MODEL_URL needs ROSTRA_MODEL_SHA256, the SHA-256 of the file it names")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if self.model_name in self.llm_models:
            raise ValueError(f"ROSTRA_LLM_MODELS and ROSTRA_MODEL_NAME both name {self.model_name!r}")
        return self

    def of(self, name: str) -> Settings:
        """These settings as they are for that model."""
        if name == self.model_name:
            return self
        own = self.llm_models[name]
        source = {"model_file": own.file, "model_url": own.url, "model_sha256": own.sha256}
        given = own.model_dump(exclude_none=True, exclude={"file", "url", "sha256"})
        return self.model_copy(update={"model_name": name, "chat_template": None, **source, **given})

    def api_key(self) -> str | None:
        """The bearer key, wherever it stands; None: everyone is let in."""
        if self.llm_api_key:
            return self.llm_api_key.get_secret_value()
        return self.llm_api_key_file.read_text(encoding="utf-8").strip() if self.llm_api_key_file else None
