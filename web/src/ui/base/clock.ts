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

const made = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions, time: Time): string {
  const key = locale() + JSON.stringify(options);
  let maker = made.get(key);
  if (!maker) made.set(key, (maker = new Intl.DateTimeFormat(locale(), { hourCycle: 'h23', ...options })));
  return maker.format(time);
}

const sameYear = (one: Time, other: Time): boolean => new Date(one).getFullYear() === new Date(other).getFullYear();
const midnight = (time: Time): Time => new Date(time).setHours(0, 0, 0, 0);

/** 14:32 */
export const clock = (time: Time): string => format({ hour: '2-digit', minute: '2-digit' }, time);

/** 3月14日, with the year when it is not this one. */
export const date = (time: Time, at: Time = now.value): string =>
  format({ month: 'long', day: 'numeric', ...(sameYear(time, at) ? {} : { year: 'numeric' }) }, time);

/** As a list has room for: 3/14. */
const shortDate = (time: Time, at: Time = now.value): string =>
  sameYear(time, at) ? format({ month: 'short', day: 'numeric' }, time) : format({ year: 'numeric', month: 'numeric', day: 'numeric' }, time);

/** Everything: 2026年3月14日 星期六 14:32 */
export const exact = (time: Time): string =>
  format({ year: 'numeric', month: 'long', day: 'numeric', weekday: 'long', hour: '2-digit', minute: '2-digit' }, time);

/** Today, yesterday, or the date with its weekday. */
export function dayName(time: Time, at: Time = now.value): string {
  const ago = Math.round((midnight(at) - midnight(time)) / day);
  if (ago === 0 || ago === 1) return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-ago, 'day');
  return format({ month: 'long', day: 'numeric', weekday: 'short', ...(sameYear(time, at) ? {} : { year: 'numeric' }) }, time);
}

/** Relative within a day, before and after; absolute beyond. */
export function relative(time: Time, at: Time = now.value, short = false): string {
  const away = time - at;
  const far = Math.abs(away);
  if (far < minute) return t('base.now');
  if (far >= day) return short ? shortDate(time, at) : `${date(time, at)} ${clock(time)}`;
  const [unit, length] = far < hour ? (['minute', minute] as const) : (['hour', hour] as const);
  return new Intl.RelativeTimeFormat(locale(), { style: 'narrow' }).format(Math.trunc(away / length), unit);
}

/** A moment that lies ahead, with its day. */
export const moment = (time: Time): string => `${dayName(time)} ${clock(time)}`;

/** The short name of a day of the week; 0 is Monday. */
export const dayLetter = (day: number): string => format({ weekday: 'short', timeZone: 'UTC' }, Date.UTC(2024, 0, 1 + day));

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
