// What is known, kept in the browser as of a cursor: the client opens from it at once and catches up. Nothing depends on it:
// anything wrong with it means starting without.

import type { Id, Known, Room } from '@/core/model';
import { shortened, unloaded } from '@/core/run';

import type { Kept } from './feed';

/** A number more when what is known has another form: what was kept before is then thrown away. */
const SCHEMA = 2;
const NAME = 'hongyan';
/** In localStorage, which answers at once: that there may be something. */
const WRITTEN = 'hongyan.kept';
const EVENTS = 64;
const READING = 1_500; // a browser that does not answer is not waited for

interface State {
  readonly user: Id;
  /** Which tab wrote it: another one writes everything anew, so that nothing is of two minds. */
  readonly writer: string;
  readonly time: number;
  readonly cursor: string;
  readonly known: Omit<Known, 'rooms'>;
}

/** The newest of a conversation; a run that is not at its end is not kept. */
function trimmed(room: Room): Room {
  if (!room.loaded) return room;
  return room.newer ? unloaded(room) : shortened(room, EVENTS);
}

const rooms = new WeakMap<Room, Room>(); // a room that has not changed is trimmed once

export function kept({ cursor, known }: Kept): Kept {
  const trim = (room: Room): Room => {
    const made = rooms.get(room) ?? trimmed(room);
    rooms.set(room, made);
    return made;
  };
  return {
    cursor,
    known: { ...known, rooms: new Map([...known.rooms].map(([id, room]) => [id, trim(room)])), typing: new Map(), parted: [] },
  };
}

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused'));
  });

const done = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up'));
  });

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, SCHEMA);
  request.onupgradeneeded = () => {
    const db = request.result;
    for (const name of [...db.objectStoreNames]) db.deleteObjectStore(name);
    db.createObjectStore('state');
    db.createObjectStore('rooms');
  };
  const db = await asked(request).catch((error: unknown) => {
    // Of a newer client than this one, which does without: so nothing stays that nobody here could remove.
    if ((error as DOMException).name === 'VersionError') indexedDB.deleteDatabase(NAME);
    throw error;
  });
  db.onversionchange = () => db.close(); // a newer client, in another tab
  return db;
}

export interface Before extends Kept {
  readonly time: number;
}

export class Cache {
  readonly #writer = crypto.randomUUID();
  #db: Promise<IDBDatabase> | null = null;
  /** As written last, to write no more than what has changed. */
  #written: ReadonlyMap<Id, Room> = new Map();
  #writing: Promise<void> = Promise.resolve();

  /** Nothing was written. What an older client left, which did not say so, the next write throws away. */
  static get isEmpty(): boolean {
    return localStorage.getItem(WRITTEN) === null;
  }

  /** Null: there is nothing, or nothing of this user. What somebody else left is thrown away. */
  async read(user: Id): Promise<Before | null> {
    const late = new Promise<null>((resolve) => setTimeout(resolve, READING, null));
    return Promise.race([late, this.#read(user).catch(() => null)]);
  }

  async #read(user: Id): Promise<Before | null> {
    const transaction = await this.#begin('readonly');
    const [state, all] = await Promise.all([
      asked<State | undefined>(transaction.objectStore('state').get('state')),
      asked<Room[]>(transaction.objectStore('rooms').getAll()),
    ]);
    if (!state) return null;
    if (state.user !== user) {
      await this.empty();
      return null;
    }
    const { time, cursor, known } = state;
    return { time, cursor, known: { ...known, rooms: new Map(all.map((room) => [room.id, room])) } };
  }

  /** One after another; never throws. */
  write(user: Id, given: Kept): Promise<void> {
    const next = this.#writing.then(() => this.#write(user, kept(given)));
    return (this.#writing = next.catch(() => {
      this.#written = new Map();
    }));
  }

  async #write(user: Id, { cursor, known }: Kept): Promise<void> {
    const { rooms, ...rest } = known;
    const transaction = await this.#begin('readwrite');
    localStorage.setItem(WRITTEN, '1');
    const finished = done(transaction);
    const states = transaction.objectStore('state');
    const places = transaction.objectStore('rooms');
    const before = await asked<State | undefined>(states.get('state'));
    if (before?.writer !== this.#writer || before.user !== user) {
      places.clear();
      this.#written = new Map();
    }
    for (const id of this.#written.keys()) if (!rooms.has(id)) places.delete(id);
    for (const [id, room] of rooms) if (this.#written.get(id) !== room) places.put(room, id);
    const state: State = { user, writer: this.#writer, time: Date.now(), cursor, known: { ...rest, presence: new Map() } };
    states.put(state, 'state');
    await finished;
    this.#written = rooms;
  }

  /** After everything that is being written. */
  empty(): Promise<void> {
    const next = this.#writing.then(async () => {
      const transaction = await this.#begin('readwrite');
      const finished = done(transaction);
      transaction.objectStore('state').clear();
      transaction.objectStore('rooms').clear();
      this.#written = new Map();
      await finished;
      localStorage.removeItem(WRITTEN);
    });
    return (this.#writing = next.catch(() => {}));
  }

  close(): void {
    void this.#db?.then((db) => db.close()).catch(() => {});
    this.#db = null;
  }

  async #begin(mode: IDBTransactionMode): Promise<IDBTransaction> {
    this.#db ??= open();
    try {
      return (await this.#db).transaction(['state', 'rooms'], mode);
    } catch {
      this.#db = open(); // it was closed for a newer client, or by the browser
      return (await this.#db).transaction(['state', 'rooms'], mode);
    }
  }
}
