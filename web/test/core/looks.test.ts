import { describe, expect, it } from 'vitest';

import { bookmarksOf } from '@/core/bookmarks';
import { fold, foldSignal, withPage } from '@/core/fold';
import { firstUnread, items, timeline, type Item } from '@/core/groups';
import { match, ranked } from '@/core/match';
import { isQuiet, notifies, says } from '@/core/notify';
import { attention, initials, ordered, tint, title } from '@/core/order';
import { contentLine, plain, previewOf } from '@/core/preview';

import { after, CHEN, conversation, event, LIN, message, old, one, own, page, start } from './some';

const words = (key: string, put: Readonly<Record<string, string | number>> = {}): string => `${key}:${Object.values(put).join()}`;

describe('the list', () => {
  it('has pinned ones first, archived ones apart, and the newest on top', () => {
    const known = after(
      start(conversation('c1'), conversation('c2'), conversation('c3'), conversation('c4')),
      own('arrange', { conversation: 'c1', pinned: true }),
      own('arrange', { conversation: 'c4', archived: true }),
      { ...message(4), conversation: 'c3' },
    );
    const { pinned, others, archived } = ordered(known);
    expect([pinned, others, archived].map((rooms) => rooms.map(({ id }) => id))).toEqual([['c1'], ['c3', 'c2'], ['c4']]);
  });

  it('is put in order once for all who show it, until a conversation changes', () => {
    const known = start(conversation('c1'), conversation('c2'));
    const before = ordered(known);
    expect(ordered(foldSignal(known, { type: 'presence', user: 'chen', status: 'busy' }, 0))).toBe(before);
    expect(ordered(after(known, message(4)))).not.toBe(before);
  });

  it('calls a direct one like the other person', () => {
    const known = start(conversation('d', { kind: 'direct', title: null }));
    expect(title(one(known, 'd'), known)).toBe('陈思远');
    const alone = start(conversation('d', { kind: 'direct', title: null, members: [LIN] }));
    expect(title(one(alone, 'd'), alone)).toBe('林清和');
  });

  it('asks for attention, of muted ones for mentions only', () => {
    const known = after(start(conversation()), own('notify', { level: 'all', muted_until: 500 }), message(4), message(5, 'chen', { mentions: ['lin'] }));
    expect(attention(known, 400)).toEqual({ unread: 0, mentioned: 1 });
    expect(attention(known, 600)).toEqual({ unread: 2, mentioned: 1 });
  });

  it('says in a line what was said last', () => {
    const known = after(start(conversation()), message(4, 'chen', { text: '**好** [链接](https://x.test)\n> 引' }));
    expect(previewOf(one(known), known, words)).toEqual({ kind: 'message', sender: '陈思远', text: '好 链接 引' });
    const edited = after(known, event(5, 'edit', 'chen', { seq: 4, text: '改' }));
    expect(previewOf(one(edited), edited, words).text).toBe('改');
    const recalled = after(edited, event(6, 'recall', 'lin', { seq: 4 }));
    expect(previewOf(one(recalled), recalled, words)).toMatchObject({ sender: null, text: 'preview.recalled_you:' });
    const draft = after(recalled, own('draft', { text: '写' }));
    expect(previewOf(one(draft), draft, words)).toEqual({ kind: 'draft', sender: null, text: '写' });
  });

  it('says what is no text in words', () => {
    expect(contentLine({ type: 'poll', question: '吃什么？', options: ['米饭', '面条'] }, words)).toBe('preview.poll:吃什么？');
    expect(contentLine({ type: 'encrypted', text: 'I sent you an OMEMO message', xml: '<encrypted/>' }, words)).toBe('preview.encrypted:');
    expect(contentLine({ type: 'later' } as never, words)).toBe('preview.unknown:');
    expect(plain('a * b * c, snake_case_name, 2*3*4')).toBe('a * b * c, snake_case_name, 2*3*4');
    expect(plain('```js\nlet a\n```\n- [x] 事')).toBe('let a 事');
  });

  it('shows the end of a name on a tint of the id', () => {
    expect(['陈思远', '李华', 'Li Hua', 'alice', '王芳 (Anna)', '👨‍👩‍👧 家', '鸿'].map(initials)).toEqual(['思远', '李华', 'LH', 'A', '王芳', '家', '鸿']);
    expect(tint('lin')).toBe(tint('lin'));
    expect(new Set(Array.from({ length: 200 }, (_, n) => tint(`u${n}`))).size).toBe(12);
  });
});

describe('a timeline', () => {
  const at = (time: number, seq: number, sender = 'chen') => ({ ...old(seq, sender), time });
  const morning = new Date(2025, 2, 3, 9).getTime();
  const shape = (items: Item[]) => items.map((item) => (item.kind === 'message' ? `${item.event.seq}${item.first ? '<' : ''}` : item.kind));

  it('has groups of the same person within five minutes, and days', () => {
    const events = [at(morning, 1), at(morning + 60_000, 2), at(morning + 600_000, 3), at(morning + 610_000, 4, 'lin'), at(morning + 86_400_000, 5, 'lin')];
    expect(shape(items(events, { states: new Map() }))).toEqual(['day', '1<', '2', '3<', '4<', 'day', '5<']);
  });

  it('has what has happened as lines, and not what is seen on messages, in threads or hidden', () => {
    const known = withPage(start(conversation()), 'c1', page([old(1), old(2), old(3)]), 'newest');
    const more = [event(4, 'react', 'chen', { seq: 2, emoji: '👍' }), event(5, 'pin', 'chen', { seq: 2 }), event(6, 'reply', 'chen', { type: 'text', text: '线', thread: 2 }), message(7)];
    const now = after(known, ...more, own('hide', { seqs: [1] }));
    expect(shape(timeline(one(now)))).toEqual(['day', '2<', '3', 'system', '7<']);
  });

  it('is made of the same rows where nothing has changed', () => {
    const known = withPage(start(conversation()), 'c1', page([old(1), old(2), old(3)]), 'newest');
    const before = timeline(one(known));
    const now = timeline(one(after(known, event(4, 'react', 'chen', { seq: 2, emoji: '👍' }), message(5))));
    expect(now.filter((row) => row.kind === 'message' && before.includes(row)).map(({ key }) => key)).toEqual(['m1', 'm3']);
  });

  it('says where what is unread begins', () => {
    const known = after(withPage(start(conversation()), 'c1', page([old(2), old(3)]), 'newest'), message(4, 'lin'), message(5), message(6));
    const first = firstUnread(one(known), 'lin');
    expect(first).toBe(5);
    expect(shape(timeline(one(known), first))).toEqual(['day', '2<', '3', '4<', 'unread', '5<', '6']);
    expect(firstUnread(one(fold(known, own('read', { seq: 6 }))), 'lin')).toBeNull();
  });
});

it('has as many bookmarks as one likes, in no time', () => {
  const marks = Array.from({ length: 30_000 }, (_, at) => ({ conversation: `c${at % 2}`, seq: at }));
  expect([...bookmarksOf(marks)].map(([id, here]) => [id, here.size])).toEqual([['c0', 15_000], ['c1', 15_000]]);
}, 1_000);

describe('who is told', () => {
  const reader = { user: 'lin' };

  it('in the order of the rules', () => {
    const told = (said: object, more: object = {}, kind: 'group' | 'direct' = 'group') => notifies({ sender: 'chen', ...said }, kind, { ...reader, ...more }, 100).why;
    expect(told({ sender: 'lin' })).toBe('own');
    expect(told({ mentions: ['lin'] }, { level: 'nothing' })).toBe('nothing');
    expect(told({ mentions: ['lin'] }, { muted_until: 200 })).toBe('mention');
    expect(told({}, { muted_until: 200 }, 'direct')).toBe('muted');
    expect(told({ text: '今晚上线' }, { level: 'mentions', preferences: { keywords: ['上线'] } })).toBe('keyword');
    expect(told({}, { level: 'mentions' })).toBe('level');
    expect(told({ mentions: ['@all'] }, { preferences: { dnd_until: 200 } })).toBe('dnd');
  });

  it('not in quiet hours, by the clock of a place', () => {
    const quiet = { from: '22:00', to: '07:00', zone: 'Asia/Shanghai', days: [4] }; // Friday night
    expect(isQuiet(quiet, Date.UTC(2025, 0, 3, 15))).toBe(true); // Friday 23:00 there
    expect(isQuiet(quiet, Date.UTC(2025, 0, 3, 22))).toBe(true); // Saturday 06:00
    expect(isQuiet(quiet, Date.UTC(2025, 0, 4, 15))).toBe(false); // Saturday 23:00
    expect(isQuiet({ ...quiet, zone: 'Nowhere/Land' }, Date.UTC(2025, 0, 3, 15))).toBe(false);
  });

  it('of words as they are said', () => {
    expect(says('ＤＥＰＬＯＹ 了', 'deploy')).toBe(true);
    expect(says('redeploy', 'deploy')).toBe(false);
    expect(says('学C++的', 'c++')).toBe(true);
  });
});

describe('matching', () => {
  const spelt: Record<string, string[]> = { 张: ['zhang'], 三: ['san'], 重: ['zhong', 'chong'], 庆: ['qing'], 项: ['xiang'], 目: ['mu'] };
  const spell = (char: string): string[] => spelt[char] ?? [];

  it.each([
    ['zhangsan', '张三', [[0, 2]]], ['zs', '张三', [[0, 2]]], ['zhs', '张三', [[0, 2]]], ['张', '张三', [[0, 1]]], ['san', '张三', [[1, 2]]],
    ['chongq', '重庆', [[0, 2]]], ['pm', 'Project Management', [[0, 1], [8, 9]]], ['mana', 'Project Management', [[8, 12]]],
    ['hua', 'lihua', [[2, 5]]], ['xm组', '项目组', [[0, 3]]], ['', '张三', []],
  ] as const)('%s finds %s', (query, name, ranges) => {
    expect(match(query, name, spell)?.ranges).toEqual(ranges);
  });

  it.each([['zx', '张三'], ['sz', '张三'], ['lh', 'lihua'], ['pt', 'Project Management']])('%s does not find %s', (query, name) => {
    expect(match(query, name, spell)).toBeNull();
  });

  it('puts what is meant first', () => {
    const names = ['新张三', '张三丰', '张三', 'zs-tools', CHEN.name];
    expect(ranked('zs', names, (name) => [name], spell).slice(0, 2)).toEqual(['zs-tools', '张三']);
    expect(ranked('zhangsan', names, (name) => [name], spell)).toEqual(['张三', '张三丰', '新张三']);
  });
});
