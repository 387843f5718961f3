// The four transports: the switch, what the current one costs, and all four side by side.

import { h, keyed, set, sign, svg, write } from './dom.js';
import { KINDS } from './transports.js';
import { bytes, milliseconds, number, t } from './words.js';

const median = (values) => (values.length ? [...values].sort((a, b) => a - b)[values.length >> 1] : null);
const shortened = (cursor) => (cursor == null ? '–' : cursor.length > 18 ? `${cursor.slice(0, 7)}…${cursor.slice(-8)}` : cursor);

function figure(name, label, hint) {
  const value = h('dd', { 'data-figure': name });
  return { name, value, node: h('div', { class: `figure ${name}`, title: hint ?? label }, h('dt', {}, label), value) };
}

export function wireView(app) {
  const radios = KINDS.map((kind) => h('button', {
    type: 'button', role: 'radio', 'data-kind': kind, onclick: () => choose(kind),
  }, t(kind)));
  const choose = (kind) => {
    app.link.switchTo(kind);
    app.changed();
  };
  const group = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': t('transport') }, radios);
  group.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step || event.altKey) return;
    event.preventDefault();
    const next = radios[(KINDS.indexOf(app.link.kind) + step + KINDS.length) % KINDS.length];
    choose(next.dataset.kind);
    next.focus();
  });
  const figures = [
    figure('state', t('state')), figure('cursor', t('cursor')), figure('delay', t('delay'), t('delay_hint')),
    figure('received', t('received'), t('bytes_hint')), figure('sent', t('transmitted'), t('bytes_hint')), figure('events', t('events')),
  ];
  const table = comparison(app);
  const toggle = sign('compare', t('compare'), () => {
    table.node.hidden = !table.node.hidden;
    set(toggle, 'aria-expanded', String(!table.node.hidden));
    table.render();
  }, { 'aria-expanded': 'false', 'aria-controls': 'comparison' });
  const close = () => {
    table.node.hidden = true;
    set(toggle, 'aria-expanded', 'false');
  };
  const node = h('div', { class: 'wire' }, group, h('dl', { class: 'figures' }, figures.map((one) => one.node)), toggle, table.node);
  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || table.node.hidden) return;
    event.stopPropagation();
    close();
    toggle.focus();
  });
  document.addEventListener('pointerdown', (event) => node.contains(event.target) || close());

  return {
    node,
    render() {
      const { link } = app;
      for (const radio of radios) {
        const on = radio.dataset.kind === link.kind;
        set(radio, 'aria-checked', String(on));
        set(radio, 'tabindex', on ? '0' : '-1');
      }
      const shown = {
        state: t(link.phase), cursor: shortened(link.cursor), delay: milliseconds(link.current.delays.at(-1)),
        received: bytes(link.current.received), sent: bytes(link.current.sent), events: number(link.current.events),
      };
      for (const { name, value } of figures) write(value, shown[name]);
      set(node, 'data-phase', link.phase);
      set(figures[1].value, 'title', link.cursor);
      if (!table.node.hidden) table.render();
    },
  };
}

const COLUMNS = ['events', 'requests', 'received', 'transmitted', 'delay_median'];

function comparison(app) {
  const body = h('tbody');
  const node = h('section', { id: 'comparison', class: 'float comparison', tabindex: '0', 'aria-label': t('compare'), hidden: true },
    h('h2', {}, t('compare')),
    h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('transport')), COLUMNS.map((column) => h('th', { scope: 'col', title: column.endsWith('ed') ? t('bytes_hint') : null }, t(column))), h('th', { class: 'spark' }, h('span', { class: 'unseen' }, t('delay'))))), body),
    h('p', { class: 'second' }, t('compare_hint')));
  const row = (kind) => {
    const line = svg('polyline', { points: '' });
    const cells = COLUMNS.map(() => h('td'));
    return Object.assign(h('tr', {}, h('th', { scope: 'row' }, t(kind)), cells, h('td', { class: 'spark' }, svg('svg', { viewBox: '0 0 72 18', 'aria-hidden': 'true' }, line))), { figures: cells, line });
  };
  return {
    node,
    render() {
      keyed(body, KINDS, (kind) => kind, row, (item, kind) => {
        const stats = app.link.stats[kind];
        const used = stats.requests > 0;
        set(item, 'class', kind === app.link.kind ? 'current' : used ? null : 'unused');
        const values = [number(stats.events), number(stats.requests), bytes(stats.received), bytes(stats.sent), milliseconds(median(stats.delays))];
        item.figures.forEach((cell, index) => write(cell, used ? values[index] : index ? '' : t('never_used')));
        item.line.setAttribute('points', spark(stats.delays));
      });
    },
  };
}

/** The last delays as a line, on a scale of their own. */
function spark(delays) {
  if (delays.length < 2) return '';
  const top = Math.max(...delays, 1);
  return delays.map((delay, index) => `${(index / (delays.length - 1)) * 70 + 1},${(16 - (delay / top) * 14).toFixed(1)}`).join(' ');
}
