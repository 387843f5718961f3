// The types of core/model.ts have the members that the server describes, no more and no fewer: checked by the compiler alone.

import type { components } from '@/api/schema';
import type * as Ours from '@/core/model';
import type { Watcher } from '@/ui/people/watchers';
import type { OwnFile, OwnFiles } from '@/ui/settings/files';

type Theirs = components['schemas'];
type Unknown<Our, Their> = Exclude<keyof Our, keyof Their>;
type Missing<Our, Their> = Exclude<keyof Their, keyof Our>;
/** `true`, or what differs, as the message of the compiler shows it. */
type Conforms<Our, Their, Left extends PropertyKey = never> = [Unknown<Our, Their>] extends [never]
  ? [Exclude<Missing<Our, Their>, Left>] extends [never]
    ? true
    : { missing: Exclude<Missing<Our, Their>, Left> }
  : { unknown: Unknown<Our, Their> };

export const conforms: {
  amended: Conforms<Ours.Amended, Theirs['Amended']>;
  by: Conforms<Ours.By, Theirs['By']>;
  tally: Conforms<Ours.Tally, Theirs['Tally']>;
  conversation: Conforms<Ours.Conversation, Theirs['ConversationView']>;
  draft: Conforms<Ours.Draft, Theirs['DraftView']>;
  own: Conforms<Ours.Own, Theirs['OwnView']>;
  preferences: Conforms<Ours.Preferences, Theirs['Preferences']>;
  quiet: Conforms<Ours.Quiet, Theirs['Quiet']>;
  status: Conforms<Ours.StatusText, Theirs['StatusText']>;
  snapshot: Conforms<Ours.Snapshot, Theirs['Snapshot']>;
  person: Conforms<Ours.Person, Theirs['PersonView'], 'status_text'>;
  member: Conforms<Ours.Member, Theirs['MemberView']>;
  page: Conforms<Ours.Page, Theirs['History']>;
  watcher: Conforms<Watcher, Theirs['Watcher']>;
  text: Conforms<Ours.TextContent, Theirs['Text']>;
  file: Conforms<OwnFile, Theirs['File']>;
  files: Conforms<OwnFiles, Theirs['FileList']>;
} = {
  amended: true,
  by: true,
  tally: true,
  conversation: true,
  draft: true,
  own: true,
  preferences: true,
  quiet: true,
  status: true,
  snapshot: true,
  person: true,
  member: true,
  page: true,
  watcher: true,
  text: true,
  file: true,
  files: true,
};
