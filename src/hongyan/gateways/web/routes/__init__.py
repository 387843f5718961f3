"""REST: each module has the routes of one subject. They call services and decide nothing; `request.user` is who asks.

Litestar routes, checks queries, and derives the description from the types. What is asked before a route is reached (origin,
rate, token, size) is in `app.py`, for all of them at one place.
"""

from litestar.handlers import HTTPRouteHandler

from hongyan.gateways.web.routes.accounts import accounts
from hongyan.gateways.web.routes.acts import acts
from hongyan.gateways.web.routes.avatars import avatars
from hongyan.gateways.web.routes.conversations import conversations
from hongyan.gateways.web.routes.embed import embed
from hongyan.gateways.web.routes.files import files
from hongyan.gateways.web.routes.members import members
from hongyan.gateways.web.routes.messages import messages
from hongyan.gateways.web.routes.nodes import nodes
from hongyan.gateways.web.routes.operation import operation
from hongyan.gateways.web.routes.own import own
from hongyan.gateways.web.routes.people import people
from hongyan.gateways.web.routes.push import push
from hongyan.gateways.web.routes.search import search
from hongyan.gateways.web.routes.streams import streams
from hongyan.gateways.web.routes.timers import timers
from hongyan.gateways.web.routes.watchers import watchers
from hongyan.gateways.web.services import WebServices


def routes(services: WebServices) -> list[HTTPRouteHandler]:
    persons = (accounts, embed, people, avatars)
    talk = (conversations, members, messages, acts, search)
    subjects = (*persons, *talk, own, files, timers, watchers, push, nodes, streams, operation)
    return [handler for subject in subjects for handler in subject(services)]


__all__ = ["routes"]
