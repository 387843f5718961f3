"""Parameters of paths and queries that several routes have."""

from typing import Annotated

from litestar.params import PathParameter, QueryParameter

from hongyan.gateways.web.schemas import LARGEST

Id = Annotated[str, PathParameter()]
Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="Most items in the answer")]
SeqBound = Annotated[int | None, QueryParameter(gt=-1, le=LARGEST)]  # ge=0 would be left out of the description
AfterId = Annotated[str | None, QueryParameter(description="The last id of the page before")]
