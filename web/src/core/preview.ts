// One line of what was said, for the list, for quotes and for notifications.

import { said } from './amend';
import { fileOf } from './file';
import type { Amended, Content, Event, Known, Room } from './model';
import { nameOf } from './order';

export type PreviewKey = 'preview.recalled' | 'preview.recalled_you' | 'preview.file' | 'preview.poll' | 'preview.forward' | 'preview.encrypted' | 'preview.unknown';
export type Translate = (key: PreviewKey, put?: Readonly<Record<string, string | number>>) => string;

/** What the second line of a row says. */
export interface Preview {
  readonly kind: 'draft' | 'message' | 'nothing';
  /** Who said it, where that is not plain. */
  readonly sender: string | null;
  readonly text: string;
}

export function previewOf(room: Room, known: Known, t: Translate): Preview {
  const draft = room.own.drafts?.find((one) => one.thread === undefined);
  if (draft) return { kind: 'draft', sender: null, text: plain(draft.text) };
  if (!room.last) return { kind: 'nothing', sender: null, text: '' };
  const { last } = room;
  const isRecalled = last.content.type === 'recalled';
  const isPlain = room.kind === 'direct' || last.sender === known.me?.id || last.sender === null || isRecalled || room.amended?.recalled;
  return { kind: 'message', sender: isPlain ? null : nameOf(known, last.sender!), text: oneLine(last, room.amended, known, t) };
}

/** A message as it is now. */
export function oneLine(event: Event<Content>, state: Amended | null | undefined, known: Known, t: Translate): string {
  const content = said(event.content, state);
  if (content.type !== 'recalled') return contentLine(content, t);
  const who = state?.recalled?.user ?? event.sender;
  return who === known.me?.id ? t('preview.recalled_you') : t('preview.recalled', { name: who === null ? '' : nameOf(known, who) });
}

export function contentLine(content: Content, t: Translate): string {
  switch (content.type) {
    case 'text':
      return fileLine(content, t) ?? plain(content.text);
    case 'poll':
      return t('preview.poll', { text: plain(content.question) });
    case 'forward':
      return t('preview.forward', { text: plain(content.text ?? content.title ?? content.items[0]?.name ?? '') });
    case 'encrypted':
      return t('preview.encrypted');
    case 'recalled':
      return t('preview.recalled', { name: '' });
    default:
      return t('preview.unknown');
  }
}

/** In place of an address; null: it is none of a file. */
export function fileLine(content: Content, t: Translate): string | null {
  const file = fileOf(content);
  return file && t('preview.file', { name: file.name });
}

/** The beginning of a text without the signs of Markdown, on one line. */
export function plain(text: string): string {
  return text
    .slice(0, 600)
    .replace(/^\s*(?:`{3,}|~{3,})[^\n]*$/gm, ' ')
    .replace(/^\s{0,3}(?:#{1,6}\s|>\s?|[-*+]\s(?:\[[ xX]\]\s)?)/gm, '')
    .replace(/!?\[([^\]\n]*)\]\([^)\s]*(?:\s+"[^"]*")?\)/g, '$1')
    .replace(/(\*\*|__|~~|`+)(?=\S)(.+?)\1/g, '$2')
    .replace(/(^|[^*\w])\*(?=\S)([^*\n]+)\*(?!\*)/g, '$1$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}
