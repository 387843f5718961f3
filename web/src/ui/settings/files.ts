// What one has put on the server, and how much room it takes.

import type { Id, Time } from '@/core/model';
import { locale } from '@/words';

export interface OwnFile {
  readonly id: Id;
  readonly name: string;
  readonly size: number;
  readonly media_type: string;
  readonly created: Time;
}

export interface OwnFiles {
  /** The newest first. */
  readonly files: readonly OwnFile[];
  readonly used: number;
  readonly most: number;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size, as the reader's language writes numbers. */
export function bytes(size: number): string {
  let at = 0;
  let some = size;
  while (some >= 1023.5 && at < UNITS.length - 1) {
    some /= 1024;
    at += 1;
  }
  return `${some.toLocaleString(locale(), { maximumFractionDigits: at && some < 100 ? 1 : 0 })} ${UNITS[at]}`;
}
