"""Write the description of the API, as a server serves it at /openapi.json, to the standard output. No server is started."""

import secrets
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hongyan.config import Settings
from hongyan.features.avatars import Avatars
from hongyan.features.files import Files
from hongyan.features.identity import Identity
from hongyan.features.push import Browsers
from hongyan.features.search import Search
from hongyan.features.timers import Timers
from hongyan.features.xmpp import Watchers
from hongyan.gateways.web.description import describe
from hongyan.gateways.web.rest import build_rest
from hongyan.gateways.web.services import WebServices
from hongyan.messaging import Messaging, now_ms
from hongyan.operation.opening import bus_of, store_of


def main() -> None:
    with TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        store = store_of(settings)
        messaging = Messaging(store, bus_of(settings), settings)
        services = WebServices(
            messaging=messaging,
            identity=Identity(store, messaging.people, settings.identity),
            timers=Timers(store, messaging.log, settings, clock=now_ms, random=secrets.token_bytes),
            search=Search(store, messaging.log, settings, lambda: 0),
            push=Browsers(store, messaging.log, settings, clock=now_ms, random=secrets.token_bytes),
            avatars=Avatars(store, messaging.log, clock=now_ms),
            files=Files(store, settings, clock=now_ms, random=secrets.token_bytes),
            watchers=Watchers(store, settings),
            settings=settings,
            health=lambda: (200, {}),
            metrics=lambda: b"",
        )
        sys.stdout.buffer.write(describe(build_rest(services)))


main()
