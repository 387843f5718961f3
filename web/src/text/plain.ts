// Texts in which nothing is Markdown: most of them. They become the same HTML as in markdown.ts, without what that needs.

/** Whatever may be Markdown, a link, a mention, or HTML, wherever it stands. */
const SIGNS = /[\\`*_[\]<>&|~@\p{Cc}\p{Cs}]|\/\//u;
/** What is one at the beginning of a line only; and lines that begin or end with space, of which some goes, or that are empty. */
const LINES = /^(?:[#+=:-]|\d+[.)]|\s|$)|\s$/mu;

/** Null: it may be Markdown. */
export function plain(text: string): string | null {
  const lines = text.split('\n');
  return SIGNS.test(lines.join('')) || lines.some((line) => LINES.test(line)) ? null : `<p>${lines.join('<br>\n')}</p>\n`;
}

/** The letters of any text, until it can be read as Markdown. */
export function letters(text: string): string {
  return `<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>\n')}</p>\n`;
}

const PICTURES = /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})*)*)\s*){1,3}$/u;

/** Nothing but one to three emoji: shown large. */
export function onlyEmoji(text: string): boolean {
  return text.length <= 40 && PICTURES.test(text.trim());
}
