// The file whose address is all that a message says: how it is called, and where it is.

import type { Content, Id } from './model';

export interface SharedFile {
  readonly href: string;
  readonly name: string;
  /** Null: this server's. */
  readonly host: string | null;
  /** Of one on this server, where it may be removed. */
  readonly id: Id | null;
  /** It may be shown as it is; nothing of another place is loaded by reading. */
  readonly picture: boolean;
}

/** As in core/addresses.py. */
const ADDRESS = /^https?:\/\/[^\s/]+\/\S+$/;
const OURS = /^\/files\/([^/]+)\/[^/]+$/;
const PICTURE = /\.(?:png|jpe?g|gif|webp|avif)$/i;
/** What nobody sees, or turns the direction of writing around; joiners hold emoji together. */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\]/u;

/** `origin` is what this page is from. Null: it is a text like any other. */
export function fileOf(content: Content, origin = ''): SharedFile | null {
  if (content.type !== 'text' || !content.oob || !ADDRESS.test(content.text) || !URL.canParse(content.text)) return null;
  const url = new URL(content.text);
  const name = read(url.pathname.split('/').findLast(Boolean) ?? url.host);
  const ours = url.origin === origin;
  const id = (ours && OURS.exec(url.pathname)?.[1]) || null;
  return { href: url.href, name, host: ours ? null : url.host, id, picture: id !== null && PICTURE.test(name) };
}

/** Of a part of a path: as it is where it is no text, or one that would show something else. */
function read(part: string): string {
  try {
    const text = decodeURIComponent(part);
    return !text.trim() || HIDDEN.test(text) ? part : text;
  } catch {
    return part;
  }
}

/** What stands before its end, and the end, which says what it is and is never cut off. */
export function halves(name: string): readonly [string, string] {
  const at = name.lastIndexOf('.');
  return at > 0 && name.length - at <= 9 ? [name.slice(0, at), name.slice(at)] : [name, ''];
}
