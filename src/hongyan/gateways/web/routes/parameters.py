"""Parameters of queries that several routes have."""

from typing import Annotated

from litestar.params import QueryParameter

from hongyan.gateways.web.schemas import LARGEST

Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="Most items in the answer")]
SeqBound = Annotated[int | None, QueryParameter(ge=0, le=LARGEST)]
