// What the parts of one room, or of one thread, share: what is being answered, what is chosen, which dialog is open.

import { inject, provide, shallowRef, type InjectionKey, type Ref, type ShallowRef } from 'vue';

import type { ForwardContent, Id, PollContent, Room, Seq } from '@/core/model';
import type { Said } from '@/ui/message/said';

/** What the next message will be: an answer, or the new text of an old one. */
export type Doing =
  | { readonly kind: 'reply'; readonly said: Said }
  /** `text`: what it was to say already; otherwise what it says. */
  | { readonly kind: 'edit'; readonly said: Said; readonly text?: string };

export type Opened =
  | { readonly kind: 'readers' | 'edits' | 'remind'; readonly said: Said }
  | { readonly kind: 'responses'; readonly seq: Seq; readonly of: 'react' | 'vote'; readonly value: string; readonly title: string }
  | { readonly kind: 'bundle'; readonly content: ForwardContent }
  | { readonly kind: 'forward'; readonly seqs: readonly Seq[] }
  | { readonly kind: 'poll'; readonly made: (poll: PollContent) => void }
  | { readonly kind: 'schedule'; readonly due: (time: number) => void };

export interface Desk {
  readonly conversation: Id;
  readonly room: Readonly<Ref<Room | undefined>>;
  /** The message whose thread this is; null in the conversation itself. */
  readonly root: Seq | null;
  readonly doing: ShallowRef<Doing | null>;
  /** Null: nothing is being chosen. */
  readonly chosen: ShallowRef<ReadonlySet<Seq> | null>;
  readonly opened: ShallowRef<Opened | null>;
  /** Text to write anew: of a message that was taken back. */
  readonly again: ShallowRef<string | null>;
  /** True: what is on the screen does not count as read, because somebody has just said so. */
  readonly held: ShallowRef<boolean>;
  /** A message that is loaded. */
  find(seq: Seq): Said | undefined;
  /** The newest text of one's own that may still be edited. */
  lastOwn(): Said | undefined;
  jump(seq: Seq): void;
  openThread(seq: Seq): void;
  focus(): void;
  /** Their card, beside this. */
  person(at: Element | MouseEvent, id: Id): void;
}

const key: InjectionKey<Desk> = Symbol('desk');

export type DeskParts = Pick<Desk, 'conversation' | 'room' | 'root' | 'find' | 'lastOwn' | 'jump' | 'openThread' | 'focus' | 'person'>;

export function provideDesk(parts: DeskParts): Desk {
  const desk: Desk = {
    ...parts,
    doing: shallowRef(null),
    chosen: shallowRef(null),
    opened: shallowRef(null),
    again: shallowRef(null),
    held: shallowRef(false),
  };
  provide(key, desk);
  return desk;
}

export function useDesk(): Desk {
  const desk = inject(key);
  if (!desk) throw new Error('There is no desk above this component');
  return desk;
}

/** Owner and admins. */
export const leads = (room: Room | undefined): boolean => room?.role === 'owner' || room?.role === 'admin';

export const mayWrite = (room: Room | undefined): boolean =>
  room !== undefined && (room.writers === 'all' || (room.writers === 'admins' && leads(room)));
