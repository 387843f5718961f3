import type { zh } from './zh';

export const en: Readonly<Record<keyof typeof zh, string>> = {
  'base.close': 'Close',
  'base.cancel': 'Cancel',
  'base.ok': 'OK',
  'base.save': 'Save',
  'base.undo': 'Undo',
  'base.retry': 'Try again',
  'base.back': 'Back',
  'base.more': 'More',
  'base.clear': 'Clear',
  'base.loading': 'Loading…',
  'base.failed': 'That did not work',
  'base.unreachable': 'The server cannot be reached. Check the network and try again',
  'base.now': 'just now',
  'base.show_password': 'Show password',
  'base.hide_password': 'Hide password',

  'presence.online': 'Online',
  'presence.away': 'Away',
  'presence.busy': 'Busy',
  'presence.dnd': 'Do not disturb',
  'presence.offline': 'Offline',

  'list.unread_n': '{n} unread',
  'list.mentions_n': '{n} mention of you|{n} mentions of you',
};
