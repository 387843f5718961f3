// Who is told of a message, and why. Twin of core/notifying.py and of `is_quiet` in core/preferences.py.

import type { Amended, Content, Id, Kind, Known, Level, Preferences, Quiet, Role, Room, Time } from './model';

/** The first four are reasons for it, the others against it. */
export type Reason = 'mention' | 'direct' | 'keyword' | 'all' | 'own' | 'nothing' | 'muted' | 'level' | 'dnd' | 'quiet';

export interface Said {
  readonly sender: Id | null;
  readonly text?: string;
  readonly mentions?: readonly string[];
}

/** Who might be told, and what they wish: of this conversation, and of all. */
export interface Reader {
  readonly user: Id;
  readonly role?: Role;
  readonly level?: Level;
  readonly muted_until?: Time;
  readonly preferences?: Preferences;
}

export interface Decision {
  readonly notify: boolean;
  readonly why: Reason;
}

/** Do-not-disturb and quiet hours let nothing through; a mute lets mentions through. */
export function notifies(said: Said, kind: Kind, reader: Reader, now: Time): Decision {
  const { level = 'all', muted_until, preferences = {} } = reader;
  const no = (why: Reason): Decision => ({ notify: false, why });
  if (said.sender === reader.user) return no('own');
  if (level === 'nothing') return no('nothing');
  const why = reason(said, kind, reader);
  if (why !== 'mention' && muted_until !== undefined && now < muted_until) return no('muted');
  if (level === 'mentions' && why !== 'mention' && why !== 'keyword') return no('level');
  if (preferences.dnd_until !== undefined && now < preferences.dnd_until) return no('dnd');
  if (preferences.quiet && isQuiet(preferences.quiet, now)) return no('quiet');
  return { notify: true, why };
}

/** The same for a message of a conversation that is known; `content` is what it says now. */
export function notifiesOf(known: Known, room: Room, sender: Id | null, content: Content, now: Time): Decision {
  const { mentions, text } = content.type === 'text' ? content : { mentions: [], text: wordsOf(content) };
  const { level, muted_until } = room.own;
  const reader = {
    user: known.me?.id ?? '',
    role: room.role,
    preferences: known.preferences,
    ...(level ? { level } : {}),
    ...(muted_until === undefined ? {} : { muted_until }),
  };
  return notifies({ sender, text, ...(mentions ? { mentions } : {}) }, room.kind, reader, now);
}

/** Nothing but mentions gets through now; shown as grey in the list. */
export const isMuted = (room: Room, now: Time): boolean =>
  room.own.level === 'nothing' || (room.own.muted_until !== undefined && now < room.own.muted_until);

/** Whether these name this user, in this role. */
export const mentions = (who: readonly string[] | undefined, user: Id, role: Role): boolean =>
  who !== undefined && (who.includes(user) || who.includes('@all') || (who.includes('@admins') && role !== 'member'));

/** Whether what a message says now names the reader. */
export function isMentioned(content: Content, state: Amended | undefined, user: Id, role: Role): boolean {
  if (content.type !== 'text' || state?.recalled) return false;
  return mentions(state?.text === undefined ? content.mentions : state.mentions, user, role);
}

/** Whether a text has this word, whatever its case and width. Latin letters and digits beside it make it another word. */
export function says(text: string, keyword: string): boolean {
  const said = folded(text);
  const word = folded(keyword);
  if (!word) return false;
  for (let at = said.indexOf(word); at >= 0; at = said.indexOf(word, at + 1)) {
    const inside = joins(said[at - 1], word[0]) || joins(word.at(-1), said[at + word.length]);
    if (!inside) return true;
  }
  return false;
}

/** Compatibility forms and case do not count; upper case first, because ß and ς have no lower one. */
export const folded = (text: string): string =>
  text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');

/** Whether it is one of the quiet hours. A zone that this machine does not know has none. */
export function isQuiet(quiet: Quiet, now: Time): boolean {
  const local = clock(quiet.zone, now);
  if (!local) return false;
  const { at, today } = local;
  const begins = (day: number): boolean => !quiet.days || quiet.days.includes(day);
  if (quiet.from < quiet.to) return quiet.from <= at && at < quiet.to && begins(today);
  return (at >= quiet.from && begins(today)) || (at < quiet.to && begins((today + 6) % 7)); // over midnight they belong to the day before
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string, now: Time): { at: string; today: number } | null {
  try {
    let format = clocks.get(zone);
    if (!format) {
      format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit', weekday: 'short' });
      clocks.set(zone, format);
    }
    const parts = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
    return { at: `${parts['hour']}:${parts['minute']}`, today: DAYS.indexOf(parts['weekday']!) };
  } catch {
    return null;
  }
}

function reason(said: Said, kind: Kind, reader: Reader): Reason {
  if (mentions(said.mentions, reader.user, reader.role ?? 'member')) return 'mention';
  if (kind === 'direct') return 'direct';
  return reader.preferences?.keywords?.some((word) => says(said.text ?? '', word)) ? 'keyword' : 'all';
}

const LATIN = /^[a-z0-9]$/;
const joins = (one = '', other = ''): boolean => LATIN.test(one) && LATIN.test(other);

/** Everything a message says, for keywords. */
function wordsOf(content: Content): string {
  if (content.type === 'text') return content.text;
  if (content.type === 'poll') return [content.question, ...content.options].join('\n');
  if (content.type === 'forward') return [content.text ?? '', ...content.items.map((item) => wordsOf(item.content))].join('\n');
  return '';
}
