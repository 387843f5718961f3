// Markdown of messages to safe HTML. Two layers, either of which would do: markdown-it lets no HTML through,
// and what it made is reduced to a short list of elements and attributes.

import DOMPurify from 'dompurify';
import MarkdownIt from 'markdown-it';
import type { MarkdownIt as Parser, StateCore, Token } from 'markdown-it';
import cjk from 'markdown-it-cjk-friendly';

import { splitMentions, type Label } from './mentions';

interface Reading {
  readonly labels: readonly Label[];
  readonly me: string;
}
const reading = (env: unknown): Reading => env as Reading;

const WEB = /^(?:https?:\/\/|mailto:)/i;

const TAGS = ['a', 'blockquote', 'br', 'code', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'li', 'ol', 'p', 'pre', 's', 'span', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'];
const ATTRIBUTES = ['class', 'data-align', 'data-user', 'href', 'rel', 'start', 'tabindex', 'target'];

const parser = make();
const made = new Map<string, string>();
const KEPT = 600;

/** The HTML of a message. `labels` are how the people it mentions may be written in it, with `me` the reader. */
export function render(text: string, labels: readonly Label[] = [], me = ''): string {
  const key = labels.length ? `${text}\0${me}\0${labels.map((one) => `${one.label}\0${one.id}`).join('\0')}` : text;
  const known = made.get(key);
  if (known !== undefined) return known;
  const html = clean(unsafe(text, labels, me));
  if (made.size >= KEPT) made.delete(made.keys().next().value!);
  made.set(key, html);
  return html;
}

/** The first layer alone; for the tests, which look at each by itself. */
export function unsafe(text: string, labels: readonly Label[] = [], me = ''): string {
  return parser.render(text, { labels, me });
}

/** The second layer alone. */
export function clean(html: string): string {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: WEB,
    ADD_URI_SAFE_ATTR: ATTRIBUTES.filter((name) => name !== 'href'),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  });
}

function make(): Parser {
  const md = MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false }).use(cjk);
  md.disable(['image']); // it stays a link: nothing of another place is loaded by reading
  md.linkify.set({ fuzzyLink: false }); // README.md is a file, not a place in Moldova
  md.validateLink = (url) => WEB.test(url.trim());
  md.core.ruler.push('mentions', mentions);

  const rules = md.renderer.rules;
  rules['link_open'] = (tokens, at, options, _env, self) => {
    const token = tokens[at]!;
    token.attrs = [['href', String(token.attrGet('href'))], ['target', '_blank'], ['rel', 'noopener noreferrer']];
    return self.renderToken(tokens, at, options);
  };
  for (const kind of ['fence', 'code_block']) {
    const code = rules[kind]!;
    rules[kind] = (...given) => code(...given).replace('<pre>', '<pre tabindex="0">'); // it may scroll, so the keyboard reaches it
  }
  rules['table_open'] = () => '<div class="table" tabindex="0"><table>';
  rules['table_close'] = () => '</table></div>';
  rules['th_open'] = rules['td_open'] = (tokens, at, options, _env, self) => {
    const token = tokens[at]!;
    const align = /center|right/.exec(String(token.attrGet('style') ?? ''))?.[0];
    token.attrs = align ? [['data-align', align]] : null; // the pages allow no style in the text
    return self.renderToken(tokens, at, options);
  };
  rules['mention'] = (tokens, at, _options, env) => {
    const { content, meta } = tokens[at]!;
    const id = String(meta?.['id']);
    const mine = id === reading(env).me || id === '@all';
    return `<span class="mention${mine ? ' mine' : ''}" data-user="${md.utils.escapeHtml(id)}">${md.utils.escapeHtml(content)}</span>`;
  };
  return md;
}

/** Of each piece of text outside of links and code, the parts that name somebody become a token of their own. */
function mentions(state: StateCore): void {
  const { labels } = reading(state.env);
  if (!labels.length) return;
  for (const block of state.tokens) {
    if (block.type !== 'inline' || !block.children) continue;
    let depth = 0;
    block.children = block.children.flatMap((token): Token[] => {
      if (token.type === 'link_open') depth += 1;
      if (token.type === 'link_close') depth -= 1;
      if (token.type !== 'text' || depth > 0 || !token.content.includes('@')) return [token];
      return splitMentions(token.content, labels).map((part) => {
        const made = new state.Token(part.id === null ? 'text' : 'mention', '', 0);
        made.content = part.text;
        if (part.id !== null) made.meta = { id: part.id };
        return made;
      });
    });
  }
}
