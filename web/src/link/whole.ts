// A list that the server gives in pages, when all of it is wanted.

/** So many it gives at once, where what it gives is small. */
export const MOST = 1_000;

interface Page<T> {
  readonly items: readonly T[];
  readonly more: boolean;
}

/** One page after the other, each from the last that is there; no more than `most` begin another. */
export async function whole<T>(page: (last: T | undefined) => Promise<Page<T>>, most = Infinity): Promise<readonly T[]> {
  const found: T[] = [];
  for (let more = true; more && found.length < most; ) {
    const next = await page(found.at(-1));
    found.push(...next.items);
    more = next.more && next.items.length > 0;
  }
  return found;
}
