"""What one can choose from: the formats and the models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from rostra.formats import library
from rostra_api.parts import PartsNeeded
from rostra_api.problems import NOT_FOUND, Refusal, documented
from rostra_api.views import FormatList, FormatView, ModelList, format_view, model_view

router = APIRouter(tags=["catalogue"])


@router.get("/v1/formats")
async def formats() -> FormatList:
    """Who speaks when: all formats."""
    return FormatList(data=[format_view(debate_format) for debate_format in library().values()])


@router.get("/v1/formats/{name}", responses=documented(404))
async def debate_format(name: Annotated[str, Path()]) -> FormatView:
    """One format."""
    if name not in library():
        raise Refusal(NOT_FOUND, "There is no format of this name.")
    return format_view(library()[name])


@router.get("/v1/models")
async def models(parts: PartsNeeded) -> ModelList:
    """The models that debaters can have, and what each can do; not where it is served."""
    return ModelList(data=[model_view(name, endpoints) for name, endpoints in sorted(parts.models.items())])
