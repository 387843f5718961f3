// The HTML of a message. What reads Markdown is loaded with the first text that may be some; until then its letters are shown.

import { shallowRef } from 'vue';

import type { Label } from './mentions';
import { letters, plain } from './plain';

type Reader = typeof import('./markdown');

const reader = shallowRef<Reader | null>(null);
let asked = false;

function ask(): void {
  if (asked) return;
  asked = true;
  import('./markdown').then(
    (loaded) => (reader.value = loaded),
    () => (asked = false), // the next text asks again
  );
}

/** Reactive. `labels` are how the people it mentions may be written in it, with `me` the reader. */
export function render(text: string, labels: readonly Label[] = [], me = ''): string {
  const simple = plain(text);
  if (simple !== null) return simple;
  if (reader.value) return reader.value.render(text, labels, me);
  ask();
  return letters(text);
}
