// Pictures of people: each is asked for once, with the token, and kept as long as the page lives.

import { shallowRef, type ShallowRef } from 'vue';

import type { Id } from '@/core/model';
import { type Api, userPath } from '@/link/api';

/** What an avatar is of; `news` is a channel in which few write. */
export type AvatarKind = 'person' | 'group' | 'channel' | 'news';

const AGAIN = 30_000;
const pictures = new Map<string, ShallowRef<string | null>>();

/** Null while it is not there. */
export function pictureOf(api: Api, id: Id, hash: string): Readonly<ShallowRef<string | null>> {
  const key = `${id} ${hash}`;
  const before = pictures.get(key);
  if (before) return before;
  const picture = shallowRef<string | null>(null);
  pictures.set(key, picture);
  api
    .fetch(`${userPath(id)}/avatar?${new URLSearchParams({ hash })}`, { cache: 'default' })
    .then((response) => response.blob())
    .then(
      (blob) => (picture.value = URL.createObjectURL(blob)),
      () => setTimeout(() => pictures.delete(key), AGAIN), // asked for again by who draws it then
    );
  return picture;
}
