// Pictures of people: each is asked for once, with the token, and kept in the browser until somebody logs out.

import { shallowRef, type ShallowRef } from 'vue';

import { embedded } from '@/app/embedded';
import type { Id } from '@/core/model';
import { type Api, userPath } from '@/link/api';

/** What an avatar is of; `news` is a channel in which few write. */
export type AvatarKind = 'person' | 'group' | 'channel' | 'news';

/** Not the browser's own cache, which nobody can empty. */
const KEPT = 'hongyan-pictures';
const AGAIN = 30_000;
const pictures = new Map<string, ShallowRef<string | null>>();

/** Null while it is not there. */
export function pictureOf(api: Api, id: Id, hash: string): Readonly<ShallowRef<string | null>> {
  const path = `${userPath(id)}/avatar?${new URLSearchParams({ hash })}`;
  const before = pictures.get(path);
  if (before) return before;
  const picture = shallowRef<string | null>(null);
  pictures.set(path, picture);
  load(api, path).then(
    (blob) => pictures.get(path) === picture && (picture.value = URL.createObjectURL(blob)),
    () => setTimeout(() => pictures.get(path) === picture && pictures.delete(path), AGAIN), // asked for again by who draws it then
  );
  return picture;
}

/** Nobody else is to see them. */
export async function forgetPictures(): Promise<void> {
  for (const { value } of pictures.values()) if (value) URL.revokeObjectURL(value);
  pictures.clear();
  await globalThis.caches?.delete(KEPT);
}

async function load(api: Api, path: string): Promise<Blob> {
  const cache = await opened();
  const url = api.url(path);
  const kept = await cache?.match(url);
  if (kept) return kept.blob();
  const response = await api.fetch(path);
  void cache?.put(url, response.clone()).catch(() => {}); // no room
  return response.blob();
}

/** Only where the page is secure; in a frame of another site nothing is kept. */
const opened = async (): Promise<Cache | undefined> => (embedded ? undefined : globalThis.caches?.open(KEPT).catch(() => undefined));
