// @vitest-environment happy-dom
// @vitest-environment-options { "url": "http://127.0.0.1:8461/" }
// Against a real server, when there is one: VITE_HONGYAN=http://127.0.0.1:8461 VITE_PEOPLE=a:PASSWORD,b:PASSWORD vitest run test/app/real
import { afterAll, expect, test } from 'vitest';

import { createHongyan, type Store } from '@/app/store';
import { Api } from '@/link/api';

const root: string | undefined = import.meta.env['VITE_HONGYAN'];
const people = String(import.meta.env['VITE_PEOPLE'] ?? '').split(',').map((one) => one.split(':') as [string, string]);
const open: Store[] = [];

async function until(true_: () => boolean): Promise<void> {
  for (let n = 0; n < 1000; n += 1) {
    if (true_()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${true_.toString()}`);
}

async function person([name, password]: [string, string]): Promise<Store> {
  localStorage.removeItem('hongyan.session');
  const store = createHongyan({ api: new Api(new URL(`${root}/`)) });
  open.push(store);
  await store.login(name, password);
  await until(() => store.ready.value && store.link.value.phase === 'open');
  return store;
}

afterAll(() => open.forEach((store) => store.close()));

test.skipIf(!root)('two people over every transport', { timeout: 60_000 }, async () => {
  const [one, two] = [await person(people[0]!), await person(people[1]!)];
  const last = (store: Store): string => (store.known.value.rooms.get('lobby')?.last?.content as { text?: string } | undefined)?.text ?? '';
  const seen: string[] = [one.link.value.transport];
  await Promise.all([one.load('lobby'), two.load('lobby')]);
  for (const transport of ['sse', 'long', 'short', null] as const) {
    one.force(transport);
    await until(() => one.link.value.phase === 'open');
    seen.push(one.link.value.transport);
    const said = `${transport} ${Date.now()}`;
    two.send('lobby', { type: 'text', text: said });
    await until(() => last(one) === said && last(two) === said && two.outgoing.value.length === 0);
    const back = `back ${said}`;
    one.send('lobby', { type: 'text', text: back });
    await until(() => last(two) === back && one.outgoing.value.length === 0);
  }
  const room = () => one.known.value.rooms.get('lobby')!;
  const { seq } = room().events.filter(({ type }) => type === 'message').at(-1)!;
  await one.act('lobby', { type: 'react', seq, emoji: '👍' });
  await until(() => two.known.value.rooms.get('lobby')?.states.get(seq)?.reactions?.['👍']?.count === 1);
  await one.own({ type: 'arrange', conversation: 'lobby', pinned: true, archived: false });
  one.read('lobby', room().head_seq);
  await until(() => room().read_seq >= seq && room().unread === 0 && room().own.pinned === true);
  await until(() => (two.known.value.rooms.get('lobby')?.marks.get(one.session.value!.user) ?? 0) >= seq);
  one.typing('lobby');
  await until(() => two.known.value.typing.get('lobby')?.has(one.session.value!.user) ?? false);
  await one.loadAround('lobby', seq);
  expect(room().events.some((event) => event.seq === seq)).toBe(true);
  await one.logout();
  console.log(seen.join(' '), one.known.value.rooms.size);
});
