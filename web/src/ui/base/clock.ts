// Times as the reader's language writes them.

import { shallowRef } from 'vue';

import type { Time } from '@/core/model';
import { locale, t } from '@/words';

/** Now, to the half minute: what shows it changes by itself. */
export const now = shallowRef<Time>(Date.now());
if (typeof window !== 'undefined') {
  setInterval(() => (now.value = Date.now()), 30_000);
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Made once for each language: making one takes longer than all that it is made for. */
function spoken<T>(make: (locale: string) => T): () => T {
  const all = new Map<string, T>();
  return () => {
    const found = all.get(locale()) ?? make(locale());
    all.set(locale(), found);
    return found;
  };
}

/** None of them says more than the minute, and most that are written stand near to each other: the last one is kept. */
function written(options: Intl.DateTimeFormatOptions): (time: Time) => string {
  const format = spoken((locale) => new Intl.DateTimeFormat(locale, { hourCycle: 'h23', ...options }));
  let last: { format: Intl.DateTimeFormat; minute: number; text: string } | null = null;
  return (time) => {
    const [now, at] = [format(), Math.floor(time / minute)];
    if (last?.format !== now || last.minute !== at) last = { format: now, minute: at, text: now.format(time) };
    return last.text;
  };
}

const inDays = spoken((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
const inShort = spoken((locale) => new Intl.RelativeTimeFormat(locale, { style: 'narrow' }));
const year = { year: 'numeric' } as const;
const longDay = { month: 'long', day: 'numeric' } as const;
const daily = written(longDay);
const dailyOfYear = written({ ...longDay, ...year });
const short = written({ month: 'short', day: 'numeric' });
const shortOfYear = written({ ...year, month: 'numeric', day: 'numeric' });
const weekly = written({ ...longDay, weekday: 'short' });
const weeklyOfYear = written({ ...longDay, ...year, weekday: 'short' });

const sameYear = (one: Time, other: Time): boolean => new Date(one).getFullYear() === new Date(other).getFullYear();
const midnight = (time: Time): Time => new Date(time).setHours(0, 0, 0, 0);

/** 14:32 */
export const clock = written({ hour: '2-digit', minute: '2-digit' });

/** 3月14日, with the year when it is not this one. */
export const date = (time: Time, at: Time = now.value): string => (sameYear(time, at) ? daily : dailyOfYear)(time);

/** As a list has room for: 3/14. */
const shortDate = (time: Time, at: Time = now.value): string => (sameYear(time, at) ? short : shortOfYear)(time);

/** Everything: 2026年3月14日 星期六 14:32 */
export const exact = written({ ...longDay, ...year, weekday: 'long', hour: '2-digit', minute: '2-digit' });

/** Today, yesterday, or the date with its weekday. */
export function dayName(time: Time, at: Time = now.value): string {
  const ago = Math.round((midnight(at) - midnight(time)) / day);
  if (ago === 0 || ago === 1) return inDays().format(-ago, 'day');
  return (sameYear(time, at) ? weekly : weeklyOfYear)(time);
}

/** Relative within a day, before and after; absolute beyond. */
export function relative(time: Time, at: Time = now.value, briefly = false): string {
  const away = time - at;
  const far = Math.abs(away);
  if (far < minute) return t('base.now');
  if (far >= day) return briefly ? shortDate(time, at) : `${date(time, at)} ${clock(time)}`;
  const [unit, length] = far < hour ? (['minute', minute] as const) : (['hour', hour] as const);
  return inShort().format(Math.trunc(away / length), unit);
}

/** A moment that lies ahead, with its day. */
export const moment = (time: Time): string => `${dayName(time)} ${clock(time)}`;

const letter = written({ weekday: 'short', timeZone: 'UTC' });
/** The short name of a day of the week; 0 is Monday. */
export const dayLetter = (day: number): string => letter(Date.UTC(2024, 0, 1 + day));

/** Tomorrow at this hour. */
export function tomorrowAt(hour: number): Time {
  const at = new Date();
  at.setDate(at.getDate() + 1);
  return at.setHours(hour, 0, 0, 0);
}

/** For fields of the type `datetime-local`, and back. */
export function forField(time: Time): string {
  const at = new Date(time);
  return new Date(time - at.getTimezoneOffset() * minute).toISOString().slice(0, 16);
}
export function fromField(value: string): Time | null {
  const time = new Date(value).getTime();
  return Number.isNaN(time) ? null : time;
}
