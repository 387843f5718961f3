// Tells of messages that nobody looks at: a note of the desktop, one for each conversation, and a short sound.
// One tab speaks for all of them.

import { type Ref, watch } from 'vue';

import { said } from '@/core/amend';
import type { Content, Event, Id, Known, Room } from '@/core/model';
import { notifiesOf } from '@/core/notify';
import { nameOf, title } from '@/core/order';
import { oneLine, type Translate } from '@/core/preview';

import { pushed } from './push';
import { conversationRoute, go, href, placeOf, type Route } from './router';
import { settings } from './settings';
import type { Store } from './store';
import { closeNotes, hasWorker, worker } from './worker';

const NEWS = 5 * 60_000; // what is older was said while nobody was here: the list tells of it
const SOUND_EVERY = 3_000;

interface Note {
  readonly count: number;
  readonly shown: Notification | null;
}

export function notifying(store: Store, route: Readonly<Ref<Route>>, t: Translate): () => void {
  const notes = new Map<Id, Note>();
  const close = (id: Id): void => {
    notes.get(id)?.shown?.close();
    notes.delete(id);
    closeNotes(id).catch(() => {});
  };

  const at = (): Id | null => placeOf(route.value);
  const stopLooking = watch(at, (id) => store.look(id), { immediate: true });
  // Read here or on another device: it is news no more.
  const stopReading = watch(store.known, (known) => {
    for (const id of notes.keys()) if (!known.rooms.get(id)?.unread && !known.rooms.get(id)?.mentioned) close(id);
  });
  const stopHearing = store.onSaid((events) => {
    if (!store.leads) return;
    const now = Date.now();
    const known = store.known.value;
    const told = events.filter((event) => now - event.time < NEWS && tells(known, event, now) && !store.looked(event.conversation));
    for (const id of new Set(told.map(({ conversation }) => conversation))) {
      const news = told.filter((event) => event.conversation === id);
      const room = known.rooms.get(id);
      const event = news.at(-1);
      if (room && event) show(room, event, known, news.length);
    }
    if (told.length && settings.sound) ring();
  });

  function show(room: Room, event: Event<Content>, known: Known, more: number): void {
    // The server pushes nothing before it takes a person for away: until then the page tells who looks at none of it.
    const wanted = settings.desktop || (!store.looked() && pushed(store.session.value));
    if (!wanted || !('Notification' in globalThis) || Notification.permission !== 'granted') return;
    const count = (notes.get(room.id)?.count ?? 0) + more;
    const line = oneLine(event, room.states.get(event.seq), known, t);
    const named = room.kind === 'direct' || event.sender === null;
    const heading = count > 1 ? `${title(room, known)} (${count})` : title(room, known);
    const thread = event.content.type === 'text' ? event.content.thread : undefined;
    const place = conversationRoute(room.id, event.type === 'reply' && thread !== undefined ? { thread } : { seq: event.seq });
    const options: NotificationOptions = {
      body: named ? line : `${nameOf(known, event.sender)}: ${line}`,
      icon: new URL('icon.svg', store.api.root).href,
      tag: room.id,
      silent: true, // the sound is our own, and has its own setting
      data: { path: href(place) },
    };
    let shown: Notification | null = null;
    if (hasWorker) {
      // Phones show notes in no other way; and of what is pushed too there is one note, because they have one tag.
      void worker().then((registration) => registration?.showNotification(heading, options)).catch(() => {});
    } else {
      try {
        shown = new Notification(heading, options);
        shown.onclick = () => {
          window.focus();
          go(place);
          close(room.id);
        };
      } catch {
        // A phone without a worker shows none.
      }
    }
    notes.set(room.id, { count, shown });
  }

  return () => {
    stopLooking();
    stopReading();
    stopHearing();
    for (const id of [...notes.keys()]) close(id);
  };
}

/** By the rules of the server. In threads only what is meant for the reader is news: their answers stand in the list of threads. */
function tells(known: Known, event: Event<Content>, now: number): boolean {
  const room = known.rooms.get(event.conversation);
  if (!room) return false;
  const { notify, why } = notifiesOf(known, room, event.sender, said(event.content, room.states.get(event.seq)), now);
  return notify && (event.type === 'message' || why !== 'all');
}

let audio: AudioContext | null = null;
let rangAt = -Infinity;

/** Two soft tones, made here: no file. A browser that was not touched yet stays silent. */
function ring(): void {
  if (performance.now() - rangAt < SOUND_EVERY || !('AudioContext' in globalThis)) return;
  rangAt = performance.now();
  audio ??= new AudioContext();
  const { currentTime: begin, destination } = audio;
  [660, 880].forEach((frequency, n) => {
    if (!audio) return;
    const tone = new OscillatorNode(audio, { frequency });
    const volume = new GainNode(audio, { gain: 0 });
    const at = begin + n * 0.11;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.08, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0005, at + 0.28);
    tone.connect(volume).connect(destination);
    tone.start(at);
    tone.stop(at + 0.3);
  });
  audio.resume().catch(() => {});
}
