// Changes to what is being written. Pure: a text with its selection in, the same out.

export interface Written {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** The selection between marks, or without them when it has them already. */
export function toggleMark({ text, from, to }: Written, mark: string): Written {
  const size = mark.length;
  const inside = text.slice(from, to);
  if (text.slice(from - size, from) === mark && text.slice(to, to + size) === mark && !(mark === '*' && text[from - 2] === '*')) {
    return { text: text.slice(0, from - size) + inside + text.slice(to + size), from: from - size, to: to - size };
  }
  if (inside.length >= 2 * size && inside.startsWith(mark) && inside.endsWith(mark) && !(mark === '*' && inside.startsWith('**'))) {
    const bare = inside.slice(size, -size);
    return { text: text.slice(0, from) + bare + text.slice(to), from, to: from + bare.length };
  }
  return { text: text.slice(0, from) + mark + inside + mark + text.slice(to), from: from + size, to: to + size };
}

/** Code: a line between backticks, several in a block of their own. */
export function toggleCode(written: Written): Written {
  const { text, from, to } = written;
  const inside = text.slice(from, to);
  if (!inside.includes('\n')) return toggleMark(written, '`');
  const before = from > 0 && text[from - 1] !== '\n' ? '\n' : '';
  const after = text[to] === '\n' || to === text.length ? '' : '\n';
  const opening = `${before}\`\`\`\n`;
  return {
    text: `${text.slice(0, from)}${opening}${inside}\n\`\`\`${after}${text.slice(to)}`,
    from: from + opening.length,
    to: from + opening.length + inside.length,
  };
}

/** In place of the selection; the caret comes behind it. */
export function insert({ text, from, to }: Written, piece: string): Written {
  const at = from + piece.length;
  return { text: text.slice(0, from) + piece + text.slice(to), from: at, to: at };
}

/** A name in place of what was typed after `@`, which began at `from`. */
export function takeName({ text, to }: Written, from: number, label: string): Written {
  const gap = text[to] === ' ' ? '' : ' ';
  return insert({ text, from, to }, `@${label}${gap}`);
}
