// What one keeps for oneself, as the server lists it.

import type { Amended, Content, Event, Id, Seq, SentContent, Time } from '@/core/model';

export interface Bookmark {
  readonly conversation: Id;
  readonly seq: Seq;
  readonly place: number;
  readonly time: Time;
  readonly message: Event<Content> | null;
  readonly note?: string;
  readonly amended?: Amended;
}

export interface FollowedThread {
  readonly conversation: Id;
  readonly seq: Seq;
  readonly place: number;
  readonly read_seq: Seq;
  readonly message: Event<Content> | null;
  readonly unread?: number;
  readonly amended?: Amended;
}

export interface Timer {
  readonly id: Id;
  readonly kind: 'send' | 'reminder';
  readonly conversation: Id;
  readonly due: Time;
  readonly created: Time;
  readonly content?: SentContent;
  readonly seq?: Seq;
  readonly note?: string;
  readonly failed?: string;
  readonly detail?: string;
}
