import { describe, expect, it } from 'vitest';

import { askingAt, labelsOf, labelsOfIds, mentionsIn, splitMentions } from '@/text/mentions';

const labels = labelsOf(
  [
    { id: 'lihua', name: '李华' },
    { id: 'lihuaming', name: '李华明' },
    { id: 'li', name: 'Li Wei' },
    { id: 'o.neil', name: "O'Neil" },
  ],
  { all: true, admins: true },
);
const named = (text: string): string[] => mentionsIn(text, labels);

describe('mentions', () => {
  it('are names and ids', () => {
    expect(named('@李华 看一下')).toEqual(['lihua']);
    expect(named('请@李华明和@李华看')).toEqual(['lihuaming', 'lihua']);
    expect(named('@LiHua, hi')).toEqual(['lihua']);
    expect(named('@Li Wei and @li')).toEqual(['li']);
    expect(named("@O'Neil @o.neil.")).toEqual(['o.neil']);
  });
  it('are everybody and the admins, in both languages', () => {
    expect(named('@所有人 @admins')).toEqual(['@all', '@admins']);
    expect(named('@管理员')).toEqual(['@admins']);
  });
  it('need the right to be understood', () => {
    expect(mentionsIn('@所有人', labelsOf([]))).toEqual([]);
  });
  it('are no addresses, no longer words, no code', () => {
    expect(named('a@li.example')).toEqual([]);
    expect(named('@lihuax @li-x @li.wei')).toEqual([]);
    expect(named('`@李华`')).toEqual([]);
    expect(named('```\n@李华\n```\n@li.')).toEqual(['li']);
    expect(named('```\n@李华')).toEqual([]);
  });
  it('are split from the text around them', () => {
    expect(splitMentions('a @李华b', labels)).toEqual([
      { text: 'a ', id: null },
      { text: '@李华', id: 'lihua' },
      { text: 'b', id: null },
    ]);
    expect(splitMentions('@@@', labels)).toEqual([{ text: '@@@', id: null }]);
  });
  it('of an event have the names of now', () => {
    const of = labelsOfIds(['lihua', '@all'], new Map([['lihua', '李华']]));
    expect(mentionsIn('@李华 @everyone @admins', of)).toEqual(['lihua', '@all']);
  });
});

it('is asked for while typed', () => {
  expect(askingAt('你好 @li', 6)).toEqual({ from: 3, query: 'li' });
  expect(askingAt('你好@', 3)).toEqual({ from: 2, query: '' });
  expect(askingAt('你好@', 2)).toBeNull();
  expect(askingAt('a@b', 3)).toBeNull();
  expect(askingAt('@li wei', 7)).toBeNull();
});
