"""Importing this declares every table of messaging and of all features, as whoever copies a whole store needs."""

import hongyan.features.avatars.tables
import hongyan.features.cim.tables
import hongyan.features.files.tables
import hongyan.features.identity.tables
import hongyan.features.push.tables
import hongyan.features.timers.tables
import hongyan.features.xmpp.tables
import hongyan.features.xmpp.tables_rooms
import hongyan.messaging.tables  # noqa: F401
