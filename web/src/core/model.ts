// The words of the wire (docs/protocol.md) and of what a client knows. Types only.

export type Id = string;
export type Seq = number;
/** Milliseconds since 1970 UTC. */
export type Time = number;

export type Kind = 'direct' | 'group' | 'channel';
export type Role = 'owner' | 'admin' | 'member';
export type Writers = 'all' | 'admins' | 'nobody';
export type History = 'joined' | 'all';
export type Level = 'all' | 'mentions' | 'nothing';
export type Presence = 'online' | 'away' | 'busy' | 'dnd' | 'offline';

export interface Person {
  readonly id: Id;
  readonly name: string;
  /** The hash of their picture; left out by who has none. */
  readonly avatar?: string;
}

export interface Member extends Person {
  readonly role: Role;
}

export interface Me extends Person {
  readonly admin: boolean;
}

// What messages say

export interface TextContent {
  readonly type: 'text';
  readonly text: string;
  readonly mentions?: readonly string[];
  readonly reply?: Seq;
  readonly thread?: Seq;
  /** The text is the address of a file, and nothing else. */
  readonly oob?: boolean;
}

export interface PollContent {
  readonly type: 'poll';
  readonly question: string;
  readonly options: readonly string[];
  readonly multiple?: boolean;
}

export interface ForwardedItem {
  readonly sender: Id | null;
  readonly name: string;
  readonly time: Time;
  readonly content: Content;
}

export interface ForwardContent {
  readonly type: 'forward';
  readonly title: string | null;
  readonly items: readonly ForwardedItem[];
  readonly text?: string;
}

/** Readable with keys that no browser has (OMEMO of XMPP clients): shown as a sentence. */
export interface EncryptedContent {
  readonly type: 'encrypted';
  readonly text: string;
  readonly xml: string;
}

export interface RecalledContent {
  readonly type: 'recalled';
  readonly thread?: Seq;
}

/** Of a type that a later server knows: shown as a sentence. */
export interface UnknownContent {
  readonly type: 'unknown';
}

export type Content = TextContent | PollContent | ForwardContent | EncryptedContent | RecalledContent | UnknownContent;

/** What is sent: a forward names its messages, and the server puts them in. */
export type SentContent =
  | TextContent
  | PollContent
  | { readonly type: 'forward'; readonly conversation: Id; readonly seqs: readonly Seq[]; readonly text?: string };

export type Act =
  | { readonly type: 'edit'; readonly seq: Seq; readonly text: string; readonly mentions?: readonly string[] }
  | { readonly type: 'recall' | 'pin' | 'unpin' | 'close'; readonly seq: Seq }
  | { readonly type: 'react' | 'unreact'; readonly seq: Seq; readonly emoji: string }
  | { readonly type: 'vote'; readonly seq: Seq; readonly options: readonly number[] };

export type OwnAct =
  | { readonly type: 'draft'; readonly conversation: Id; readonly text?: string; readonly reply?: Seq; readonly thread?: Seq }
  | { readonly type: 'bookmark'; readonly conversation: Id; readonly seq: Seq; readonly note?: string }
  | { readonly type: 'unbookmark' | 'unread' | 'follow' | 'unfollow'; readonly conversation: Id; readonly seq: Seq }
  | { readonly type: 'hide' | 'unhide'; readonly conversation: Id; readonly seqs: readonly Seq[] }
  | { readonly type: 'notify'; readonly conversation: Id; readonly level: Level; readonly muted_until?: Time }
  | { readonly type: 'arrange'; readonly conversation: Id; readonly pinned: boolean; readonly archived: boolean; readonly place?: number }
  | { readonly type: 'thread_read'; readonly conversation: Id; readonly seq: Seq; readonly upto: Seq }
  | { readonly type: 'preferences'; readonly preferences: Preferences }
  | ({ readonly type: 'status' } & Partial<StatusText>);

export interface Event<C = any> {
  readonly cursor: string;
  readonly conversation: Id;
  readonly seq: Seq;
  readonly type: string;
  readonly sender: Id | null;
  readonly time: Time;
  readonly content: C;
  readonly client_id?: string;
}

// What has become of a message

export interface Tally {
  readonly count: number;
  readonly mine?: boolean;
}

export interface By {
  readonly user: Id;
  readonly time: Time;
}

/** What was done to a message; members that are as usual are left out. */
export interface Amended {
  readonly seq: Seq;
  /** The newest act in it: older ones change nothing any more. */
  readonly at: Seq;
  readonly text?: string;
  readonly mentions?: readonly string[];
  readonly edited?: Time;
  readonly edits?: number;
  readonly recalled?: By;
  readonly pinned?: By;
  readonly closed?: boolean;
  readonly reactions?: Readonly<Record<string, Tally>>;
  readonly votes?: Readonly<Record<string, Tally>>;
  readonly replies?: number;
  readonly reply_seq?: Seq;
}

// What is one's own

export interface Draft {
  readonly text: string;
  readonly time: Time;
  readonly reply?: Seq;
  readonly thread?: Seq;
}

export interface Own {
  readonly drafts?: readonly Draft[];
  readonly level?: Level;
  readonly muted_until?: Time;
  readonly pinned?: boolean;
  readonly archived?: boolean;
  /** Among those that are pinned. */
  readonly place?: number;
  readonly unread_from?: Seq;
}

export interface Quiet {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  /** On which the hours begin; 0 is Monday. */
  readonly days?: readonly number[];
}

export interface Preferences {
  readonly dnd_until?: Time;
  readonly quiet?: Quiet;
  readonly keywords?: readonly string[];
}

export interface StatusText {
  readonly text: string;
  readonly emoji?: string;
  readonly until?: Time;
}

// Answers

/** As `GET /v1/conversations/{id}` and the snapshot give it. */
export interface Conversation {
  readonly id: Id;
  readonly kind: Kind;
  readonly title: string | null;
  readonly topic: string | null;
  readonly history: History;
  readonly writers: Writers;
  readonly role: Role;
  readonly first_seq: Seq;
  readonly head_seq: Seq;
  readonly read_seq: Seq;
  readonly unread: number;
  readonly mentioned: number;
  readonly last: Event<Content> | null;
  readonly amended?: Amended | null;
  readonly member_count: number;
  /** Null when there are more than 100. */
  readonly members: readonly Member[] | null;
  readonly own?: Own;
  readonly cursor?: string;
}

export interface Snapshot {
  readonly cursor: string;
  readonly user: Me;
  readonly conversations: readonly Conversation[];
  readonly preferences: Preferences;
  readonly status_text: StatusText | null;
}

export interface Page {
  readonly events: readonly Event[];
  readonly more: boolean;
  /** Around a message: there are more above the newest of these. */
  readonly newer?: boolean;
  readonly amended?: readonly Amended[];
}

export type Signal =
  | { readonly type: 'typing'; readonly conversation: Id; readonly user: Id; readonly typing: boolean }
  | { readonly type: 'presence'; readonly user: Id; readonly status: Presence; readonly text?: string | null; readonly status_text?: StatusText | null }
  | { readonly type: 'read'; readonly conversation: Id; readonly user: Id; readonly seq: Seq };

// What a client knows

/** How many messages above a mark count, and which, as far as that is known. */
export interface Counted {
  /** What is at or below it does not count. */
  readonly mark: Seq;
  /** Messages that count and whose places are not known; they are at or below `above`. */
  readonly unknown: number;
  readonly above: Seq;
  readonly places: readonly Seq[];
}

/** One conversation, and the run of its events that is loaded: ascending, without gaps but for what is hidden. */
export interface Room extends Conversation {
  /** The place in the log that it is true at, and at least that of the last event about it. */
  readonly position: number;
  readonly events: readonly Event[];
  /** The newest events, while the run does not reach them: not loaded, or opened elsewhere. A page that reaches them joins them. */
  readonly ahead: readonly Event[];
  /** What was done to loaded messages and to `last`, by seq. */
  readonly states: ReadonlyMap<Seq, Amended>;
  readonly loaded: boolean;
  /** There is more before the run, and after it (when it was opened at a hit of a search). */
  readonly older: boolean;
  readonly newer: boolean;
  /** Behind `unread` and `mentioned`. */
  readonly counted: { readonly unread: Counted; readonly mentioned: Counted };
  /** Other people's read marks, as far as they were told. */
  readonly marks: ReadonlyMap<Id, Seq>;
  readonly own: Own;
  /** Hidden from oneself, as far as it happened while this client looked. */
  readonly hidden: ReadonlySet<Seq>;
}

export interface Known {
  readonly me: Me | null;
  /** The place in the log up to which everything is folded: events at or before it change nothing. */
  readonly position: number;
  readonly rooms: ReadonlyMap<Id, Room>;
  readonly names: ReadonlyMap<Id, string>;
  /** Hashes of pictures, of those who are known to have one. */
  readonly avatars: ReadonlyMap<Id, string>;
  readonly presence: ReadonlyMap<Id, { readonly status: Presence; readonly statusText: StatusText | null }>;
  /** conversation -> user -> until when it holds without being said again */
  readonly typing: ReadonlyMap<Id, ReadonlyMap<Id, Time>>;
  readonly preferences: Preferences;
  readonly statusText: StatusText | null;
  /** Type of an event of one's own lane -> its newest seq. Who shows a list that is asked for (bookmarks, timers, threads) asks anew when it moves. */
  readonly heard: ReadonlyMap<string, Seq>;
  /** What one keeps at hand: conversation -> message -> its note, which may be empty. Null until it was asked for. */
  readonly bookmarks: ReadonlyMap<Id, ReadonlyMap<Seq, string>> | null;
  /** Conversations that must be asked for: an event told less than is needed. */
  readonly wanted: ReadonlySet<Id>;
  /** Titles of conversations that were taken away while one looked. */
  readonly parted: readonly string[];
}
