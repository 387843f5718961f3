// A small part of Markdown as DOM nodes: paragraphs, line breaks, quotes, lists, ``` blocks, **bold**, *italic*, `code`
// and links. Every character of a message enters the page as text; a link is made only for http and https.

import { h } from './dom.js';

const INLINE = /`([^`\n]+)`|\*\*([^*\n](?:[^\n]*?[^*\n])?)\*\*|\*([^*\s](?:[^*\n]*[^*\s])?)\*|\[([^[\]\n]{1,500})\]\(([^\s()<>]{1,2000})\)|(https?:\/\/[^\s<>"'`，。；：！？、（）《》「」“”]+)/gi;

const LONGEST_ADDRESS = 2_000;

/** The direction overrides that let text pose as other text. The bubble is isolated besides. */
const honest = (text) => text.replace(/[\u202d\u202e]/g, '');

function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : null;
  } catch {
    return null;
  }
}

function link(url, ...label) {
  return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow', title: url.href }, ...label);
}

/** A bare address: what closes a sentence or an unopened bracket does not belong to it. One that is too long stays text. */
function bareLink(text) {
  if (text.length > LONGEST_ADDRESS) return [text];
  // A loop: an expression that ends in $ tries every place where such characters stand.
  let end = text.length;
  while ('.,;:!?*_'.includes(text[end - 1])) end -= 1;
  let address = text.slice(0, end);
  while (address.endsWith(')') && !address.includes('(')) address = address.slice(0, -1);
  const url = webAddress(address);
  return url ? [link(url, address), text.slice(address.length)] : [text];
}

function inline(text, depth = 0) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, bold, italic, label, target, bare] = match;
    nodes.push(text.slice(from, match.index));
    from = match.index + whole.length;
    if (code != null) nodes.push(h('code', {}, code));
    else if (bold != null) nodes.push(h('strong', {}, ...(depth < 3 ? inline(bold, depth + 1) : [bold])));
    else if (italic != null) nodes.push(h('em', {}, ...(depth < 3 ? inline(italic, depth + 1) : [italic])));
    else if (bare != null) nodes.push(...(depth < 3 ? bareLink(bare) : [bare]));
    else {
      const url = webAddress(target);
      nodes.push(url ? link(url, label) : whole);
    }
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== '');
}

const lines = (rows) => rows.flatMap((row, index) => (index ? [h('br'), ...inline(row)] : inline(row)));

const KINDS = [
  ['quote', /^> ?/, (rows) => h('blockquote', {}, ...lines(rows))],
  ['list', /^[-*] +/, (rows) => h('ul', {}, ...rows.map((row) => h('li', {}, ...inline(row))))],
  ['plain', /^/, (rows) => h('p', {}, ...lines(rows))],
];

function prose(text) {
  const blocks = [];
  let current = null;
  for (const row of text.split('\n')) {
    if (!row.trim()) {
      current = null;
      continue;
    }
    const [kind, mark, build] = KINDS.find(([, pattern]) => pattern.test(row));
    if (current?.kind !== kind) blocks.push((current = { kind, build, rows: [] }));
    current.rows.push(row.replace(mark, ''));
  }
  return blocks.map(({ build, rows }) => build(rows));
}

/** The nodes of a message. */
export function markdown(source) {
  const nodes = [];
  honest(source).replace(/\r\n?/g, '\n').split(/^```/m).forEach((part, index, all) => {
    const fenced = index % 2 === 1 && index < all.length - 1;
    if (!fenced) return nodes.push(...prose(index % 2 === 1 ? '```' + part : part));
    const [, language, body] = /^([^\n]*)\n?([^]*?)\n?$/.exec(part);
    return nodes.push(h('pre', { tabindex: '0' }, h('code', {}, body || language)));
  });
  return nodes.length ? nodes : [h('p', {}, honest(source))];
}

/** One line for the list and for screen readers. */
export function plain(source) {
  return honest(source.slice(0, 300)).replace(/```/g, ' ').replace(/\*\*|`/g, '').replace(/\[([^[\]]*)\]\((https?:[^)]*)\)/g, '$1')
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '').replace(/\s+/g, ' ').trim();
}
