// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest';
import { createApp, defineComponent, h, nextTick, ref } from 'vue';

import { useFocusBack } from '@/ui/base/focus';

const shown = ref(false);
const Floating = defineComponent(() => {
  const root = ref<HTMLElement | null>(null);
  useFocusBack(root);
  return () => h('div', { ref: root }, h('button', { id: 'inside' }));
});
const app = createApp(() => [h('div', { id: 'place', tabindex: -1 }, h('button', { id: 'opener' })), h('button', { id: 'other' }), shown.value ? h(Floating) : null]);
const root = document.body.appendChild(document.createElement('div'));
app.mount(root);
const $ = (id: string): HTMLElement => document.getElementById(id)!;

async function show(is: boolean): Promise<void> {
  shown.value = is;
  await nextTick();
}

afterEach(() => show(false));

test('focus goes back to where it was', async () => {
  $('opener').focus();
  await show(true);
  $('inside').focus();
  await show(false);
  expect(document.activeElement?.id).toBe('opener');
});

test('or to what that stood in, when it has gone', async () => {
  $('opener').focus();
  await show(true);
  $('inside').focus();
  $('opener').remove();
  await show(false);
  expect(document.activeElement?.id).toBe('place');
});

test('unless a person has taken it elsewhere', async () => {
  $('place').focus();
  await show(true);
  $('other').focus();
  await show(false);
  expect(document.activeElement?.id).toBe('other');
});
